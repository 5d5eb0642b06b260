// Winback's browser snippet. Its options, and what it sends: docs/guides/browser.md
(() => {
  const given = window.winback || {};
  if (given.identify) return; // It is on the page twice.
  const script = document.currentScript || {};
  const options = { ...script.dataset, ...given };
  const url = options.url || new URL("/events", script.src || location).href;
  const every = (options.every || 60) * 1000;
  const stored = "winback"; // The name of the record in localStorage.
  let paused = "wait" in options;
  let place, stageHere, stageSet, visited, isSent;
  let clicked = 0;

  // "/cart=cart_review, /*/checkout=checkout", or an object. The longest rule counts.
  const stages = options.stages || "";
  const rules = (typeof stages == "object" ? Object.entries(stages) : stages.split(",").map((rule) => rule.split("=")))
    .filter(([, stage]) => stage)
    .map(([path, stage]) => [path.trim().replace(/\/$/, ""), stage.trim()])
    .sort(([a], [b]) => b.length - a.length)
    .map(([path, stage]) => [
      RegExp("^" + path.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, "[^/]*") + "($|[/?&])"),
      stage,
    ]);

  const findStage = () => {
    const found = rules.find(([path]) => path.test(location.pathname) || path.test(location.hash));
    return stageSet || (found ? found[1] : "product_selection");
  };

  // A browser can block localStorage. Then only the shop's own ids name sessions.
  const load = () => {
    try {
      return JSON.parse(localStorage.getItem(stored)) || {};
    } catch {
      return {};
    }
  };
  const save = (record) => {
    try {
      localStorage.setItem(stored, JSON.stringify(record));
      return 1;
    } catch {}
  };

  const cookie = () => {
    const found = options.cookie && document.cookie.match("(?:^|; )" + options.cookie + "=([^;]+)");
    try {
      return found && decodeURIComponent(found[1]);
    } catch {}
  };

  // Return the record of the session. The shop's id continues a session with an id of our own, but no other.
  const find = (isNew) => {
    const record = load();
    const named = cookie() || options.cartId;
    if (named && named != record.id) {
      const { id, stage } = record.own ? record : {};
      return { id: named, cookie: options.cookie, stage, before: id, links: 3 };
    }
    if (named) return record;
    if (record.id && !(record.cookie && options.cookie) && Date.now() - record.at < 2592e6) return record;
    const made = { id: "wb-" + crypto.getRandomValues(new Uint32Array(4)).join("-"), own: 1 };
    return isNew && save({ ...made, at: Date.now() }) ? made : {};
  };

  const emit = (type, stage, more) => {
    const record = paused ? {} : find(stage);
    const event = { writeKey: options.key, session_id: record.id, type };
    // After an exit, each event is later than it, also one of another tab.
    const now = Math.max(Date.now(), record.exit ? record.at + 1 : 0);
    if (!record.id) return;
    if (stage) {
      Object.assign(event, { flow_stage: (record.stage = stage), platform: "web", ...more });
      if (record.before && record.links-- > 0) event.previous_session_id = record.before;
      isSent = 1;
    }
    event.occurred_at = new Date(now).toISOString();
    record.at = now;
    record.exit = type == "exit";
    // The next page can load before this one is left. It reads in the record that it has to contradict the exit.
    if (!save(record) && record.exit) return;
    const body = JSON.stringify(event);
    navigator.sendBeacon?.(url, body) ||
      fetch(url, { method: "POST", body, keepalive: true, mode: "no-cors", credentials: "omit" }).catch(() => {});
  };

  // On a page with the rule none, a session goes on at its last stage, and none begins.
  const visit = (more) => {
    visited = Date.now();
    place = location.pathname + location.hash;
    stageHere = findStage();
    const stage = stageHere == "none" ? load().stage : stageHere;
    if (stage == "done") {
      emit("order_completed");
      options.cartId = isSent = 0;
      save({});
    } else if (stage) emit("activity", stage, more);
  };
  const interact = () => Date.now() - visited < every || visit();
  const move = () => {
    if (place == location.pathname + location.hash) return;
    stageSet = 0;
    findStage() == stageHere ? interact() : visit();
  };
  const start = () => {
    paused = false;
    visit({ customer: options.customer, cart: options.cart });
  };

  for (const method of ["pushState", "replaceState"]) {
    const original = history[method];
    history[method] = (...args) => {
      original.apply(history, args);
      move();
    };
  }
  const on = (names, run, options) => names.split(" ").forEach((each) => addEventListener(each, run, options));
  on("popstate hashchange", move);
  on("pointerdown pointermove keydown scroll focus blur visibilitychange", interact, { passive: true });

  // A page that is left soon after a click leads to another one, of the shop or of a bank. Otherwise it was closed.
  on("click submit", () => (clicked = Date.now()), true);
  on("pagehide", () => {
    if (isSent && Date.now() - clicked > 1e4) emit("exit");
    visited = Infinity; // It becomes hidden now, which is no activity.
  });
  on("pageshow", (event) => event.persisted && visit());
  // Another tab was closed, and this one is still open.
  on("storage", ({ key }) => {
    const { exit, stage } = load();
    if (key == stored && exit) emit("activity", stage);
  });

  window.winback = {
    start,
    // Reports the customer. Without this call, no personal data is sent.
    identify: (customer) => visit({ customer }),
    // Reports the whole cart, under the id that the shop's server has for it.
    cart(id, cart) {
      options.cartId = id;
      visit({ cart });
    },
    // Sets the stage until the address changes.
    stage(stage) {
      stageSet = stage;
      visit();
    },
    // Returns the id of the session, for the order that the shop's server reports.
    session: () => find(1).id,
  };
  const begin = () => paused || start();
  document.prerendering ? document.addEventListener("prerenderingchange", begin) : begin();
})();
