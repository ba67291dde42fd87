/** How the daemon is asked to stop, and how long it waits until nothing that it wrote is open any more. */
import type { State } from '../judge/state.js';
import { isSettled } from '../judge/step.js';
import { bootMs } from './clock.js';

/** Until every lease is ended and every write answered, or the time is up. */
export async function settled(state: State, waitMs: number): Promise<void> {
	const endMs = bootMs() + waitMs;
	while (!isSettled(state) && bootMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The first signal that ends it: SIGTERM and SIGINT give back, SIGUSR2 hands over. */
export function nextSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2'] as const) process.once(signal, resolve);
	});
}
