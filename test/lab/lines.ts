/**
 * ipvigil's journal as scenarios read it: a line about one server waited for and shown in the timeline, what must be in
 * it and what must not. The files are read in daemon.ts.
 */
import type { JournalLine } from '../../src/report/segments.js';
import { concerns } from './refusals.js';
import type { Daemon, Lab, RealServer } from './scenario.js';

/** A refusal, a probe and a write are under a second even when a busy machine emulates. */
const tellLimitMs = 20_000;

/** The first line of that scenario about the server since then: shown in the timeline. */
export async function awaitLine(
	lab: Lab,
	daemon: Daemon,
	word: string,
	server: RealServer,
	sinceMs = 0,
): Promise<JournalLine> {
	const fits = concerns(word, server);
	const what = `"${word}" of ${server.destination}`;
	const line = await daemon.journaled(what, tellLimitMs, (each) => each.bootMs >= sinceMs && fits(each));
	lab.note(line.sentence, line.bootMs);
	return line;
}

/** All lines of that scenario about the server, oldest first. */
export async function linesOf(daemon: Daemon, word: string, server: RealServer): Promise<JournalLine[]> {
	return (await daemon.journal()).filter(concerns(word, server));
}

export async function expectUntold(lab: Lab, daemon: Daemon, words: string[], server: RealServer): Promise<void> {
	for (const word of words) {
		const lines = await linesOf(daemon, word, server);
		lab.expect(lines.length === 0, `"${word}" of ${server.destination} is not in the journal`, lines);
	}
}
