// One end of a call: joins with the token of its link, then shows what the server says and what the others send.

import { openCamera } from "./camera.js";
import { Clock } from "./clock.js";
import { Leg } from "./leg.js";
import { Pictures } from "./pictures.js";
import { Signalling } from "./signalling.js";

const SURE_MS = 5000;
const MEDIA_WORDS = {
  connecting: "Connecting picture and sound.",
  connected: "",
  lost: "The connection was lost. Connecting again.",
};
const byId = id => document.getElementById(id);
const say = words => (byId("words").textContent = words);

/** From the link's fragment, which is then taken out of the address; kept for this tab alone. */
function token() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") || "";
}

class Call {
  #pictures = new Pictures(byId("pictures"), byId("nobody"));
  #clock = new Clock(byId("left"));
  #stream = null;
  #notices = [];
  #own = "";
  #state = "";
  #ended = false;

  constructor(own) {
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/peer`;
    this.signalling = new Signalling(url, own, {
      message: message => this.#message(message),
      lost: words => {
        byId("link").textContent = words || "The line was cut. Connecting again.";
        this.leg.signallingLost();
      },
      refused: words => this.#end(words || "This link is not in use any more."),
    });
    this.leg = new Leg(this.signalling, {
      others: streams => this.#pictures.use(streams),
      media: state => this.#media(state),
      refused: words => (byId("link").textContent = words),
    });
    byId("leave").addEventListener("click", () => this.#leave());
    byId("sound").addEventListener("click", () => this.#play());
    byId("read").addEventListener("click", () => this.#read());
  }

  async start() {
    try {
      this.#stream = await openCamera();
    } catch (error) {
      say(error.message);
      byId("join").hidden = false;
      return;
    }
    byId("own").srcObject = this.#stream;
    byId("own").hidden = false;
    byId("leave").hidden = false;
    for (const track of this.#stream.getTracks()) {
      track.addEventListener("ended", () => say("The camera or the microphone was taken away. Load this page again."));
    }
    this.signalling.run();
    this.leg.keep(this.#stream);
  }

  #message(message) {
    switch (message.kind) {
      case "PeerWelcome":
        byId("link").textContent = "";
        byId("told").textContent = message.words;
        this.#own = message.leg;
        this.leg.slots = message.slots || 1;
        break;
      case "Answer":
      case "OfferRefused":
        this.leg.take(message);
        break;
      case "CallNotice":
        this.#notice(message);
        break;
      case "LegStates":
        this.#states(message.legs);
        break;
    }
  }

  #notice({ state, words, server_time_ms, ends_at_ms, notice_id }) {
    // First blank and silent, then the words.
    this.#pictures.live(state === "LIVE");
    document.body.dataset.state = state;
    if (state === "ENDED") {
      this.#end(words);
      return;
    }
    this.#clock.set(server_time_ms, ends_at_ms);
    if (notice_id === "state") {
      this.#state = words;
      say(words.replace(byId("told").textContent, "").trim());
    } else if (this.#notices.every(known => known.notice_id !== notice_id)) {
      this.#notices.push({ words, notice_id });
    }
    this.#showNotice();
  }

  /** Who is there, and why somebody is not. */
  #states(legs) {
    const others = legs.filter(state => state.leg !== this.#own);
    this.#pictures.allow(others);
    const own = legs.find(state => state.leg === this.#own);
    const off = own ? ["sound", "picture"].filter(what => !own[what]) : [];
    const said = others.filter(state => state.words).map(state => state.words);
    if (off.length) said.unshift(`Staff have switched your ${off.join(" and ")} off.`);
    byId("others").replaceChildren(...said.map(words => {
      const line = document.createElement("li");
      line.textContent = words;
      return line;
    }));
  }

  /** Notices of staff stay until the person says that they were read, one after the other; not what the state says. */
  #showNotice() {
    this.#notices = this.#notices.filter(notice => notice.words !== this.#state);
    const first = this.#notices[0];
    byId("notice").hidden = !first;
    if (first && byId("notice-words").textContent !== first.words) byId("notice-words").textContent = first.words;
  }

  #read() {
    const first = this.#notices[0];
    if (!first || !this.signalling.send("NoticeRead", { notice_id: first.notice_id })) return;
    this.#notices.shift();
    this.#showNotice();
  }

  #media(state) {
    if (this.#ended) return;
    byId("link").textContent = MEDIA_WORDS[state];
    if (state === "connected") this.#play();
  }

  async #play() {
    byId("sound").hidden = await this.#pictures.play();
  }

  #leave() {
    const button = byId("leave");
    if (!button.dataset.sure) {
      button.dataset.sure = button.textContent;
      button.textContent = "Press again to leave";
      setTimeout(() => {
        button.textContent = button.dataset.sure;
        delete button.dataset.sure;
      }, SURE_MS);
      return;
    }
    if (this.signalling.send("Leave")) setTimeout(() => this.#end("You have left the call."), 200);
    else say("The line is cut, so the others can't be told. Close this page to leave.");
  }

  /** For good: camera and microphone are let go. */
  #end(words) {
    if (this.#ended) return;
    this.#ended = true;
    this.#pictures.live(false);
    this.#clock.stop();
    this.leg.end();
    this.signalling.end();
    for (const track of this.#stream.getTracks()) track.stop();
    byId("others").replaceChildren();
    for (const id of ["own", "leave", "sound", "notice", "nobody"]) byId(id).hidden = true;
    byId("link").textContent = "";
    say(words);
  }
}

function main() {
  const own = token();
  if (!own) {
    say("This page opens with the link that you were sent. Open that link.");
    return;
  }
  const call = new Call(own);
  const join = byId("join");
  join.addEventListener("click", () => {
    join.hidden = true;
    call.start();
  });
  if (document.body.dataset.place === "room") call.start();
  else join.hidden = false;
}

main();
