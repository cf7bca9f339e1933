/* 通办: shorter paths for browsers with script. Every page works without it. */
(function () {
  "use strict";
  var each = function (root, selector, work) {
    Array.prototype.forEach.call(root.querySelectorAll(selector), work);
  };

  /* The summary of errors has the focus when a form comes back. */
  var focusErrors = function (root) {
    var summary = root.querySelector("[data-focus]");
    if (summary) { summary.focus(); }
  };

  /* Copy buttons: hidden without script, because selecting the text does the same. */
  var copyButtons = function (root) {
    if (!navigator.clipboard) { return; }
    each(root, "[data-copy]", function (button) {
      var label = button.textContent;
      button.hidden = false;
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(button.getAttribute("data-copy")).then(function () {
          button.textContent = button.getAttribute("data-done");
          setTimeout(function () { button.textContent = label; }, 2000);
        });
      });
    });
  };

  /* Countdowns: data-until holds the seconds that are left when the page was made. */
  var countdowns = function (root) {
    each(root, "[data-until]", function (place) {
      var end = Date.now() + 1000 * Number(place.getAttribute("data-until"));
      var timer = setInterval(function () {
        var left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
        place.textContent = left > 0 ? String(left) : place.getAttribute("data-over");
        if (left === 0) { clearInterval(timer); }
      }, 500);
    });
  };

  /* A signature drawn with finger, pen or mouse; the hidden field carries it as PNG. */
  var signatures = function (root) {
    each(root, "[data-sign]", function (box) {
      var canvas = box.querySelector("canvas");
      var field = box.querySelector("input[type=hidden]");
      var clear = box.querySelector("[data-clear]");
      var pen = canvas.getContext("2d");
      var drawing = false;
      var blank = function () {
        pen.fillStyle = "#fff";
        pen.fillRect(0, 0, canvas.width, canvas.height);
        field.value = "";
      };
      var signed = field.value;
      var point = function (event) {
        var frame = canvas.getBoundingClientRect();
        return [
          (event.clientX - frame.left) * canvas.width / frame.width,
          (event.clientY - frame.top) * canvas.height / frame.height
        ];
      };
      blank();
      if (signed) {
        /* A form that came back with errors keeps the signature. */
        var image = new Image();
        image.onload = function () { pen.drawImage(image, 0, 0); field.value = signed; };
        image.src = signed;
      }
      pen.lineWidth = 4;
      pen.lineCap = "round";
      pen.lineJoin = "round";
      pen.strokeStyle = "#1a2320";
      canvas.addEventListener("pointerdown", function (event) {
        var at = point(event);
        drawing = true;
        canvas.setPointerCapture(event.pointerId);
        pen.beginPath();
        pen.moveTo(at[0], at[1]);
        pen.lineTo(at[0] + 0.1, at[1]);
        pen.stroke();
        event.preventDefault();
      });
      canvas.addEventListener("pointermove", function (event) {
        if (!drawing) { return; }
        var at = point(event);
        pen.lineTo(at[0], at[1]);
        pen.stroke();
      });
      var done = function () {
        if (!drawing) { return; }
        drawing = false;
        field.value = canvas.toDataURL("image/png");
      };
      canvas.addEventListener("pointerup", done);
      canvas.addEventListener("pointercancel", done);
      clear.addEventListener("click", blank);
    });
  };

  /* A chosen answer is marked at once, not only after sending. */
  var choices = function (root) {
    each(root, ".choice input", function (input) {
      input.addEventListener("change", function () {
        var same = document.getElementsByName(input.name);
        Array.prototype.forEach.call(same, function (other) {
          var label = other.closest(".choice");
          if (label) { label.classList.toggle("is-on", other.checked); }
        });
      });
    });
  };

  var enhance = function (root) {
    copyButtons(root);
    countdowns(root);
    signatures(root);
    choices(root);
    each(root, "[data-print]", function (button) {
      button.hidden = false;
      button.addEventListener("click", function () { window.print(); });
    });
  };

  /* A part that changes by itself: fetched again every data-reload seconds while the page is seen. */
  var reloads = function () {
    each(document, "[data-reload][id]", function (first) {
      var id = first.id;
      var seconds = Math.max(2, Number(first.getAttribute("data-reload")) || 0);
      var again = function () {
        var part = document.getElementById(id);
        if (!part || !part.hasAttribute("data-reload")) { return; }
        if (document.hidden || part.contains(document.activeElement)) { setTimeout(again, 1000 * seconds); return; }
        fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" })
          .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.text(); })
          .then(function (text) {
            var page = new DOMParser().parseFromString(text, "text/html");
            var fresh = page.getElementById(id);
            if (fresh && fresh.innerHTML !== part.innerHTML) { part.replaceWith(fresh); enhance(fresh); }
            setTimeout(again, 1000 * seconds);
          })
          .catch(function () { setTimeout(again, 4000 * seconds); });
      };
      setTimeout(again, 1000 * seconds);
    });
  };

  /* A machine in a hall: what is left counts down; whoever is there starts it anew, which the server is told now and then. */
  each(document, "[data-idle]", function (form) {
    var limit = 1000 * Number(form.getAttribute("data-idle"));
    var place = form.querySelector("[data-idle-left]");
    var last = Date.now();
    var told = last;
    var stir = function () {
      last = Date.now();
      if (last - told < 5000) { return; }
      told = last;
      fetch("/kiosk/stay", { credentials: "same-origin" }).catch(function () {});
    };
    ["pointerdown", "keydown", "scroll", "input"].forEach(function (kind) { document.addEventListener(kind, stir, { passive: true }); });
    var timer = setInterval(function () {
      var left = Math.ceil((limit - (Date.now() - last)) / 1000);
      place.textContent = String(Math.max(0, left));
      form.parentElement.classList.toggle("is-near", left <= 20);
      if (left <= 0) { clearInterval(timer); form.submit(); }
    }, 500);
  });

  /* What is folded away is on paper, too. */
  window.addEventListener("beforeprint", function () {
    each(document, "main details:not([open]):not(.keys)", function (part) { part.open = true; part.setAttribute("data-folded", ""); });
  });
  window.addEventListener("afterprint", function () {
    each(document, "details[data-folded]", function (part) { part.open = false; part.removeAttribute("data-folded"); });
  });

  /* A form is sent once, however often the button is pressed. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post") { return; }
    if (form.hasAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "");
    if (event.submitter) { event.submitter.setAttribute("aria-busy", "true"); }
  });
  window.addEventListener("pageshow", function () {
    each(document, "form[data-sent]", function (form) { form.removeAttribute("data-sent"); });
    each(document, "[aria-busy]", function (button) { button.removeAttribute("aria-busy"); });
  });

  /* Keys of work pages: data-key names the key; single letters can be turned off, which this browser remembers. */
  var keysOff = function () {
    try { return localStorage.getItem("keys-off") === "yes"; } catch (blocked) { return false; }
  };
  var showKeys = function () {
    document.documentElement.setAttribute("data-keys", keysOff() ? "off" : "on");
  };
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) { return; }
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !/^(checkbox|radio)$/.test(event.target.type);
    var single = event.key.length === 1;
    if (single && (typing || event.target.isContentEditable || keysOff())) { return; }
    var place = Array.prototype.find.call(document.querySelectorAll("[data-key]"), function (place) {
      return place.getAttribute("data-key").toLowerCase() === event.key.toLowerCase() && place.offsetParent && !place.disabled;
    });
    if (!place) { return; }
    event.preventDefault();
    place.focus();
    place.click();
  });
  each(document, "[data-key]", function (place) { place.setAttribute("aria-keyshortcuts", place.getAttribute("data-key")); });
  each(document, "details[data-keys]", function (box) { box.hidden = false; });
  each(document, "[data-keys-off]", function (box) {
    box.checked = keysOff();
    box.addEventListener("change", function () {
      try { localStorage.setItem("keys-off", box.checked ? "yes" : "no"); } catch (blocked) { box.checked = false; }
      showKeys();
    });
  });
  showKeys();

  /* Ticks are kept as they are made; where that fails the form is sent. */
  each(document, "form[data-quiet]", function (form) {
    var last = Promise.resolve(), send = function () { form.submit(); };
    form.lastElementChild.hidden = true;
    form.addEventListener("change", function () {
      document.querySelector("[data-left]").textContent = form.querySelectorAll("[data-key]:not(:checked)").length;
      last = last.then(function () {
        return fetch(form.action, { method: "POST", keepalive: true, body: new URLSearchParams(new FormData(form)) });
      }).then(function (answer) { if (new URL(answer.url).pathname !== location.pathname) { send(); } }, send);
    });
  });

  enhance(document);
  reloads();
  focusErrors(document);
})();
