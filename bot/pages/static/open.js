// Asks the WeCom client to open a group (ww.openExistedChatWithMsg, page 98183). What it needs is on its own tag.
(function () {
  "use strict";
  var given = document.currentScript.dataset;
  var says = document.getElementById("open-says");
  var again = document.getElementById("open-again");
  var tries = 0;

  function say(text) {
    says.textContent = text;
    says.hidden = false;
    again.hidden = false;
  }

  function failed() {
    say("企业微信没有打开这个群，请按下面的办法找到它。");
  }

  function open() {
    try {
      window.ww.openExistedChatWithMsg({ chatId: given.chat }).then(function () {
        say("已经打开群聊。办完以后回到名单按「已移出」。");
      }, failed);
    } catch (error) {
      failed();
    }
  }

  function start() {
    if (!window.ww) {
      tries += 1;
      if (tries > 20) {
        failed();
      } else {
        setTimeout(start, 250);
      }
      return;
    }
    try {
      window.ww.register({
        corpId: given.corp,
        agentId: given.agent,
        jsApiList: ["openExistedChatWithMsg"],
        getAgentConfigSignature: function () {
          return { timestamp: given.timestamp, nonceStr: given.nonce, signature: given.signature };
        },
      });
    } catch (error) {
      failed();
      return;
    }
    open();
  }

  again.addEventListener("click", function () {
    if (window.ww) {
      open();
    } else {
      tries = 0;
      start();
    }
  });
  start();
})();
