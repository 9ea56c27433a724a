// A sound of one's own: recorded or out of a file, made into the picture that the network takes, as data/sounds.py does.
{
  // Slaney's mel scale: even below 1,000 Hz, by ratios above
  const KNEE = 1000, EVEN = 200 / 3, RATIO = Math.log(6.4) / 27;
  const melOf = (hz) => hz < KNEE ? hz / EVEN : KNEE / EVEN + Math.log(hz / KNEE) / RATIO;
  const hzOf = (mel) => mel < KNEE / EVEN ? mel * EVEN : KNEE * Math.exp(RATIO * (mel - KNEE / EVEN));
  const FAINT = 1e-4, SILENT = .01, MOST = 3; // of full scale; of the loudest sample (−40 dB); seconds that are recorded

  const logMel = (sound, { rate, window, step, lowest, highest, range }, bands, frames) => { // in dB below the loudest, (bands × frames)
    const low = melOf(lowest), edges = Array.from({ length: bands + 2 }, (_, n) => hzOf(low + n / (bands + 1) * (melOf(highest) - low)));
    const turn = Float64Array.from({ length: window }, (_, n) => 2 * Math.PI * n / window), cos = turn.map(Math.cos), sin = turn.map(Math.sin);
    const power = new Float64Array(bands * frames);
    for (let frame = 0; frame < frames; frame++) {
      const heard = cos.map((value, n) => (.5 - .5 * value) * sound[frame * step + n]); // Hann's window
      for (let bin = 0; bin <= window / 2; bin++) {
        const hz = bin * rate / window;
        if (hz <= lowest || hz >= highest) continue;
        let real = 0, imaginary = 0;
        for (let n = 0, at = 0; n < window; n++, at = (at + bin) % window) { real += heard[n] * cos[at]; imaginary += heard[n] * sin[at]; }
        edges.slice(0, bands).forEach((left, band) => {
          const [middle, right] = [edges[band + 1], edges[band + 2]];
          power[band * frames + frame] += Math.max(0, Math.min((hz - left) / (middle - left), (right - hz) / (right - middle))) * 2 / (right - left) * (real * real + imaginary * imaginary);
        });
      }
    }
    const loudest = power.reduce((a, b) => Math.max(a, b), 1e-20);
    return Float32Array.from(power, (value) => 10 * Math.log10(Math.max(value / loudest, 10 ** (-range / 10))));
  };
  // The network's window of a sound: without the silence at its ends, in the middle; of a longer one the loudest part.
  const windowOf = (sound, { window, step }, frames) => {
    const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0), audible = (value) => Math.abs(value) > SILENT * loudest;
    if (loudest < FAINT) throw new Error("Nothing can be heard in it.");
    const heard = sound.subarray(sound.findIndex(audible), sound.findLastIndex(audible) + 1), size = window + (frames - 1) * step, found = new Float32Array(size);
    if (heard.length < window) throw new Error("It is too short.");
    if (heard.length <= size) { found.set(heard, Math.floor((size - heard.length) / 2)); return found; }
    const energy = [heard.subarray(0, size).reduce((sum, value) => sum + value * value, 0)];
    for (let n = size; n < heard.length; n++) energy.push(energy.at(-1) + heard[n] ** 2 - heard[n - size] ** 2);
    const enough = .99 * energy.reduce((a, b) => Math.max(a, b)), start = (energy.findIndex((one) => one >= enough) + energy.findLastIndex((one) => one >= enough)) >> 1;
    return heard.slice(start, start + size);
  };
  liveTools.heard = (sound, how, bands, frames) => logMel(windowOf(sound, how, frames), how, bands, frames);

  liveTools.voice = ({ listening, shape: [, bands, frames] }, start) => {
    const told = make("p", { class: "live-said", role: "status" }), say = (text, values) => told.replaceChildren(...tell(text, values));
    const take = async (content) => { // the browser decodes it, at the sample rate of the data
      let sound;
      try { sound = await new OfflineAudioContext(1, 1, listening.rate).decodeAudioData(await content.arrayBuffer()); } catch { say("The browser can't read this as a sound."); return; }
      const parts = Array.from({ length: sound.numberOfChannels }, (_, n) => sound.getChannelData(n));
      try {
        start(liveTools.heard(parts[0].map((_, n) => parts.reduce((sum, part) => sum + part[n], 0) / parts.length), listening, bands, frames));
        say("This is your sound. It stays in this page.");
      } catch (error) { say(error.message); }
    };
    let recorder = null;
    const record = button(tell("Record your voice"), async () => {
      if (recorder) { recorder.stop(); return; }
      let stream;
      try { stream = await navigator.mediaDevices.getUserMedia({ audio: true }); } catch (error) {
        say(error.name === "NotAllowedError" ? "The browser does not let this page use the microphone." : "There is no microphone that this page can use.");
        return;
      }
      const parts = [];
      recorder = new MediaRecorder(stream);
      recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
      recorder.addEventListener("stop", () => {
        for (const track of stream.getTracks()) track.stop();
        recorder = null;
        record.replaceChildren(...tell("Record your voice"));
        take(new Blob(parts));
      });
      recorder.start();
      setTimeout((mine) => { if (mine === recorder) recorder.stop(); }, 1000 * MOST, recorder);
      record.replaceChildren(...tell("Stop"));
      say("Say one word. It listens for {n} s at most.", { n: MOST });
    });
    const file = make("input", { type: "file", accept: "audio/*", class: "live-unseen" });
    file.addEventListener("change", () => { if (file.files.length) take(file.files[0]); file.value = ""; }); // so that the same file can be taken again
    return [make("div", { class: "hands" }, record, make("label", { class: "live-file" }, file, ...tell("Choose a sound file"))), told];
  };
}
