// The theme loads Mermaid from another host unless `mermaid` is defined. This one loads the copy next to this file,
// when the page has a diagram.
(() => {
  const source = new URL("mermaid/mermaid.tiny.js", document.currentScript.src);
  let options;
  let loaded;

  const load = () =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => resolve(globalThis.mermaid);
      script.onerror = () => reject(new Error(`${source} isn't there`));
      document.head.append(script);
    });

  globalThis.mermaid = {
    initialize(given) {
      options = given;
    },
    async render(...diagram) {
      loaded ??= load();
      const mermaid = await loaded;
      mermaid.initialize(options);
      return mermaid.render(...diagram);
    },
  };
})();
