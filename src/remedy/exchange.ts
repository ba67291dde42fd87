/**
 * What is said on a connection that stands, and what the answer is worth: it must begin as expected, or be any octet at
 * all. How it is carried, over Node's sockets or in raw frames, is for the probers. Text is octets (latin1) throughout.
 */
import type { Asking } from '../judge/asking.js';
import type { ProbeOutcome } from '../judge/input.js';

export interface Verdict {
	outcome: ProbeOutcome;
	detail: string;
}

export type Exchange = Pick<Asking, 'request' | 'expect'>;

/** Of a request and of an expectation. A request is one segment on every path then: IPv4 carries 536 octets (RFC 9293 §3.7.1). */
export const exchangeOctetsMax = 512;

/** Whether the question goes on when the connection stands. Who expects something, but requests nothing, is spoken to first. */
export function isExchange({ request, expect }: Exchange): boolean {
	return request !== undefined || expect !== undefined;
}

export class AnswerReader {
	readonly #expect: string;
	#said = '';

	constructor(expect = '') {
		this.#expect = expect;
	}

	/** The next octets. Undefined: they decide nothing yet. */
	hear(text: string): Verdict | undefined {
		this.#said = (this.#said + text).slice(0, exchangeOctetsMax);
		if (this.#said === '') return undefined;
		if (this.#said.startsWith(this.#expect)) return { outcome: 'accepted', detail: '' };
		if (this.#expect.startsWith(this.#said)) return undefined;
		return wrongAnswer(this.#said);
	}

	/** It closed in good order, which is its own word: it is there, and serves nobody. */
	closed(): Verdict {
		const detail = this.#said === '' ? 'it closed without an answer' : `it answered ${shown(this.#said)} and closed`;
		return { outcome: 'refused', detail };
	}

	timeOver(waitedMs: number): Verdict {
		const said = this.#said === '' ? 'nothing' : `no more than ${shown(this.#said)}`;
		return { outcome: 'hung', detail: `it accepted, and answered ${said} within ${waitedMs} ms` };
	}
}

export function wrongAnswer(text: string): Verdict {
	return { outcome: 'refused', detail: `it answered ${shown(text)}` };
}

/** Enough for the first line of most protocols. */
const shownCharactersMax = 60;

/** DEL and the C1 controls, which JSON leaves as they are and a terminal may obey. */
const lateControls = /[\x7f-\x9f]/g;

function shown(text: string): string {
	const escaped = (control: string) => `\\u00${control.charCodeAt(0).toString(16)}`;
	return JSON.stringify(text.slice(0, shownCharactersMax)).replace(lateControls, escaped);
}
