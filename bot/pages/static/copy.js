// A button with data-copy puts the text of the element with that id on the clipboard; where it may not, it selects it.
(function () {
  "use strict";

  function select(element) {
    var range = document.createRange();
    range.selectNodeContents(element);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  // The old command asks nobody's permission, which phones' browsers inside other apps cannot give.
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copy]");
    if (!button) {
      return;
    }
    select(document.getElementById(button.dataset.copy));
    var done = false;
    try {
      done = document.execCommand("copy");
    } catch (error) {
      done = false;
    }
    button.textContent = done ? "已复制" : "已选中，请长按复制";
    setTimeout(function () {
      button.textContent = "复制文字";
    }, 3000);
  });
})();
