// For tests: the far end knows this page by the line's far port alone, and this page the far end by its near port.

(() => {
  let prototype = RTCPeerConnection.prototype;
  while (!Object.hasOwn(prototype, "localDescription")) prototype = Object.getPrototypeOf(prototype);
  const through = (sdp, port) => sdp.split("\r\n").flatMap(line => {
    if (line.startsWith("a=candidate:")) return [];
    // In each section: which of a bundle's they are read from is each end's own choice.
    return line.startsWith("a=mid:") ? [line, `a=candidate:1 1 udp 2122260223 127.0.0.1 ${port} typ host`] : [line];
  }).join("\r\n");
  const { get } = Object.getOwnPropertyDescriptor(prototype, "localDescription");
  Object.defineProperty(prototype, "localDescription", {
    get() {
      const real = get.call(this);
      return real && { type: real.type, sdp: through(real.sdp, FAR_PORT) };
    },
  });
  const set = prototype.setRemoteDescription;
  prototype.setRemoteDescription = function ({ type, sdp }) {
    return set.call(this, { type, sdp: through(sdp, NEAR_PORT) });
  };
})();
