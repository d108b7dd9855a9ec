// Lets this page be shared as a card in WeChat, which ignores Open Graph. Elsewhere it
// does nothing: no request is made and nothing is loaded.
(function () {
  "use strict";
  if (!/MicroMessenger/i.test(navigator.userAgent)) return;
  var me = document.currentScript;
  var home = me.src.replace(/\/wechat\/share\.js.*$/, "");
  var page = location.href.split("#")[0];

  function get(url) {
    return fetch(url, { credentials: "omit" }).then(function (r) {
      if (!r.ok) throw new Error(url + ": " + r.status);
      return r.json();
    });
  }
  function sdk() {
    if (window.wx && window.wx.config) return Promise.resolve();
    return new Promise(function (done, failed) {
      var s = document.createElement("script");
      s.src = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js";
      s.onload = done;
      s.onerror = failed;
      document.head.appendChild(s);
    });
  }
  function meta(key) {
    var m = document.querySelector('meta[property="' + key + '"], meta[name="' + key + '"]');
    return (m && m.content) || "";
  }
  // An article has its card; another page says of itself what stands in its head.
  function data() {
    var card = me.getAttribute("data-card");
    if (card) {
      return get(card).then(function (c) {
        return c.platforms.wechat_share.payload;
      });
    }
    return Promise.resolve({
      title: meta("og:title") || document.title,
      desc: meta("og:description") || meta("description"),
      link: page,
      imgUrl: meta("og:image"),
    });
  }

  Promise.all([get(home + "/wechat/jssdk?url=" + encodeURIComponent(page)), data(), sdk()])
    .then(function (got) {
      var wx = window.wx || window.jWeixin;
      var share = got[1];
      wx.config(got[0]);
      wx.ready(function () {
        wx.updateAppMessageShareData({ title: share.title, desc: share.desc, link: share.link, imgUrl: share.imgUrl });
        wx.updateTimelineShareData({ title: share.title, link: share.link, imgUrl: share.imgUrl });
      });
    })
    .catch(function (e) {
      if (window.console) console.warn("share.js: " + e.message);
    });
})();
