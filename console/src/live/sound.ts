// The sound of an emergency that nobody has answered, on stations that chose to have it, and never without the same on the screen.
// Its rhythm is the burst of ten pulses of a high priority alarm (IEC 60601-1-8: three, two, and again); a console is no medical
// device, and takes the place of none.

import { useEffect, useRef, useState } from "react";

const again_ms = 15_000;
const pulse_s = 0.15;
const between_s = 0.1;
const pitch_hz = 523.25; // C5, with its harmonics: heard through noise, and where one tone alone is not
const harmonics = new Float32Array([0, 1, 0.6, 0.5, 0.35, 0.2]);
const loudness = 0.25;

// When each of the ten pulses begins, in seconds.
export function burst(): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const group of [3, 2, 3, 2]) {
    for (let i = 0; i < group; ++i, at += pulse_s + between_s) starts.push(at);
    at += starts.length === 5 ? 0.5 : 0.2;
  }
  return starts;
}

let context: AudioContext | undefined;
const listeners = new Set<() => void>();
// A browser lets a page sound only after somebody touched it.
export function may_sound(): boolean {
  context ??= new AudioContext();
  context.onstatechange = () => listeners.forEach((listener) => listener());
  if (context.state === "suspended") void context.resume().catch(() => undefined);
  return context.state === "running";
}

export function sound_once() {
  if (!may_sound() || !context) return;
  const wave = context.createPeriodicWave(harmonics, new Float32Array(harmonics.length));
  for (const start of burst()) {
    const begin = context.currentTime + start;
    const tone = context.createOscillator();
    const level = context.createGain();
    tone.setPeriodicWave(wave);
    tone.frequency.value = pitch_hz;
    level.gain.setValueAtTime(0, begin);
    level.gain.linearRampToValueAtTime(loudness, begin + 0.02);
    level.gain.setValueAtTime(loudness, begin + pulse_s - 0.03);
    level.gain.linearRampToValueAtTime(0, begin + pulse_s);
    tone.connect(level).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + pulse_s);
  }
}

// `waiting`: the ids of emergencies that nobody has answered. Sounds when another one comes, and again while any waits. False: this
// browser lets nothing sound yet.
export function useSound(is_on: boolean, waiting: readonly string[]): boolean {
  const [is_ready, set_ready] = useState(true);
  useEffect(() => {
    if (!is_on) return;
    const look = () => set_ready(may_sound());
    look();
    listeners.add(look);
    addEventListener("pointerdown", look);
    addEventListener("keydown", look);
    return () => {
      listeners.delete(look);
      removeEventListener("pointerdown", look);
      removeEventListener("keydown", look);
    };
  }, [is_on]);
  const heard = useRef(new Set<string>());
  const is_heard = is_on && is_ready;
  const any = waiting.length > 0;
  useEffect(() => {
    if (!is_heard || !any) return;
    const timer = setInterval(sound_once, again_ms);
    return () => clearInterval(timer);
  }, [is_heard, any]);
  useEffect(() => {
    if (!is_heard) return;
    if (waiting.some((id) => !heard.current.has(id))) sound_once();
    heard.current = new Set(waiting);
  }, [is_heard, waiting]);
  return is_ready;
}
