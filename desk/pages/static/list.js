/* j and k go down and up the list, Enter opens (the browser's own), / goes to the search.
   Nothing is kept, nothing is asked of the network. */
(function () {
  "use strict";
  var rows = Array.prototype.slice.call(document.querySelectorAll("a[data-row]"));
  var search = document.getElementById("q");

  function pressed(event) {
    /* A keyboard of another script has the same keys in the same places. */
    if (event.key.length === 1 && event.key.charCodeAt(0) > 127) {
      return { KeyJ: "j", KeyK: "k", Slash: "/" }[event.code];
    }
    return event.key.toLowerCase();
  }

  function go(to) {
    if (rows[to]) {
      rows[to].focus();
      rows[to].scrollIntoView({ block: "nearest" });
    }
  }

  document.addEventListener("keydown", function (event) {
    var at = document.activeElement;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (at && at.matches("input, select, textarea")) {
      if (event.key === "Escape") { at.blur(); }
      return;
    }
    var key = pressed(event);
    var here = rows.indexOf(at);
    if (key === "j") {
      go(Math.min(here + 1, rows.length - 1));
    } else if (key === "k") {
      go(here < 0 ? rows.length - 1 : Math.max(here - 1, 0));
    } else if (key === "/") {
      search.focus();
      search.select();
    } else {
      return;
    }
    event.preventDefault();
  });
})();
