// The device's camera and microphone, in the size and speed that a call carries.

export const PICTURES_PER_S = 25;
const WIDTH = 640, HEIGHT = 360;

/** A stream of one picture and one sound; Error with words for the person when they can't be had. */
export async function openCamera() {
  if (!navigator.mediaDevices) throw new Error("This page works only over a secure connection (https).");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      video: {
        width: { ideal: WIDTH, max: WIDTH },
        height: { ideal: HEIGHT, max: HEIGHT },
        frameRate: { ideal: PICTURES_PER_S, max: PICTURES_PER_S },
      },
    });
  } catch (error) {
    throw new Error(WORDS[error.name] || `The camera or the microphone can't be used (${error.name}).`);
  }
}

const WORDS = {
  NotAllowedError: "The camera and the microphone are blocked. Allow both for this page, then try again.",
  NotFoundError: "A camera and a microphone are needed, and one of them was not found. Connect it, then try again.",
  NotReadableError: "Another program uses the camera or the microphone. Close it, then try again.",
};
