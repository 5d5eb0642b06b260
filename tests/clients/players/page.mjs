// Plays a shopper in a page, with the SDK that the page has set up.
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

window.did = 0;
window.play = async (steps) => {
  const { analytics } = window;
  const began = performance.now();
  for (const step of steps) {
    await sleep(Math.max(0, began + step.at_s * 1000 - performance.now()));
    if (step.call === "identify") analytics.identify(undefined, step.traits);
    if (step.call === "page") analytics.page(undefined, step.name);
    if (step.call === "track") analytics.track(step.name, step.properties);
    if (step.call === "leave") location.assign("/left");
    window.did += 1;
  }
};
