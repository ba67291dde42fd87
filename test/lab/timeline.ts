/** The lab's events as lines for people: seconds since the scenario began, and what happened. */
import type { LabEvent } from './events.js';
import type { Outcome } from './session.js';

export class Timeline {
	#beganMs = 0;
	readonly #print: (line: string) => void;

	constructor(print: (line: string) => void) {
		this.#print = print;
	}

	event(event: LabEvent): void {
		switch (event.kind) {
			case 'ready':
				this.#print(`the guest runs ${event.release} (up ${seconds(event.atMs)} s)`);
				return;
			case 'begin':
				this.#beganMs = event.atMs;
				this.#print(`\n${event.scenario}`);
				return;
			case 'note':
				this.#print(`${seconds(event.atMs - this.#beganMs).padStart(9)} s  ${event.sentence}`);
				return;
			case 'fact':
				this.#print(`${' '.repeat(13)}${event.name}: ${event.value}`);
				return;
			case 'end':
				return;
		}
	}

	outcome({ scenario, blind, failure, tookMs }: Outcome): void {
		const name = blind ? `${scenario} (blind)` : scenario;
		if (!blind) this.#print(failure ? `FAILED  ${name}: ${failure}` : `ok  ${name} (${seconds(tookMs)} s)`);
		else
			this.#print(
				failure ? `ok  ${name} fails without its signal: ${failure}` : `FAILED  ${name} passes without its signal`,
			);
	}
}

/** A blind run is as it should be when it fails. */
export const asItShould = ({ blind, failure }: Outcome) => blind === (failure !== undefined);

const seconds = (durationMs: number) => (durationMs / 1000).toFixed(3);
