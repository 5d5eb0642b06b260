// After a search, the theme marks its words in other words too: "not" in "another". This removes such marks.
(() => {
  if (!new URLSearchParams(location.search).has("h")) return;
  const clean = () => {
    for (const mark of document.querySelectorAll("mark[data-md-highlight]")) {
      if (!/[\p{L}\p{N}]$/u.test(mark.previousSibling?.textContent ?? "")) continue;
      const parent = mark.parentNode;
      mark.replaceWith(...mark.childNodes);
      parent.normalize();
    }
  };
  new MutationObserver(clean).observe(document.body, { childList: true, subtree: true });
  clean();
})();
