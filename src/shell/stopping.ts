/** How the daemon is asked to stop, and how long it waits until nothing that it wrote is open any more. */
import type { Logger } from 'pino';
import type { State } from '../judge/state.js';
import { isSettled } from '../judge/step.js';
import { bootMs } from './clock.js';
import type { Loop } from './loop.js';

/** How long an orderly stop waits for weights to be given back; the give-back helper does what is left. */
const stopWaitMs = 5_000;

/** Ends every lease, and waits for it as long as an orderly stop may. */
export async function giveBackAll(loop: Loop, log: Pick<Logger, 'error'>): Promise<void> {
	loop.take({ kind: 'stop' });
	await settled(loop.state, stopWaitMs);
	if (!isSettled(loop.state)) log.error('not every lease could be given back; the give-back helper will end them');
}

/** Until every lease is ended and every write answered, or the time is up. */
async function settled(state: State, waitMs: number): Promise<void> {
	const endMs = bootMs() + waitMs;
	while (!isSettled(state) && bootMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The first signal that ends it: SIGTERM and SIGINT give back, SIGUSR2 hands over. */
export function nextSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2'] as const) process.once(signal, resolve);
	});
}
