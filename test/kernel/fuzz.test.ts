/**
 * wire.bpf.c against an independent decoder, packet by packet, valid and spoiled. Needs root and tshark. SEED replays a
 * finding or looks for new ones, PACKETS says how many.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Random } from '../support/random.js';
import { programs } from './bench.js';
import { disagreement, type Heard, Listener } from './fuzz.js';
import { anyFrame } from './fuzz-packets.js';
import { dissect } from './oracle.js';
import { opinionOf } from './oracle-opinion.js';
import { nothing, type Opinion } from './oracle-words.js';
import { arpFrame, refusal4 } from './packets.js';

/** The same packets every time, so that a test that passed does not fail by chance on the next machine. */
const seed = Number(process.env.SEED ?? 1);
const count = Number(process.env.PACKETS ?? 22_000);
/** One is a finding; more than these only fill the screen. */
const shownMax = 10;

async function opinionsOf(frames: readonly Uint8Array[]): Promise<(Opinion | undefined)[]> {
	return (await dissect(frames)).map(opinionOf);
}

interface Comparison {
	found: string[];
	/** How often each first word was said: by both, where nothing was found. */
	words: Map<string, number>;
	unopposed: number;
}

function compare(frames: readonly Uint8Array[], opinions: readonly (Opinion | undefined)[]): Comparison {
	const listener = new Listener();
	const comparison: Comparison = { found: [], words: new Map(), unopposed: 0 };
	for (const [index, frame] of frames.entries()) {
		const opinion = opinions[index];
		for (const program of programs) {
			const heard = listener.hear(program, frame);
			comparison.found.push(...disagreement(program, frame, heard, opinion));
			note(comparison, heard, opinion);
		}
	}
	listener.close();
	return comparison;
}

function note(comparison: Comparison, heard: Heard, opinion: Opinion | undefined): void {
	if (opinion === undefined || heard === undefined) {
		comparison.unopposed += 1;
		return;
	}
	const [subject = ''] = /^(own )?[a-z]+/.exec(heard.said) ?? [];
	const word = heard.said === nothing.said ? `lost ${heard.loss}` : subject;
	comparison.words.set(word, (comparison.words.get(word) ?? 0) + 1);
}

describe(`on ${count} packets (SEED=${seed}) the wire`, () => {
	let comparison: Comparison;
	before(async () => {
		const random = new Random(seed);
		const frames = Array.from({ length: count }, () => anyFrame(random));
		comparison = compare(frames, await opinionsOf(frames));
	});

	it('says what tshark says', () => {
		const { found } = comparison;
		const shown = found.slice(0, shownMax).join('\n');
		assert.equal(found.length, 0, `${found.length} disagreements; SEED=${seed} shows them again\n${shown}`);
	});

	it('is compared on enough of each kind of testimony and loss, and seldom with no opinion', () => {
		const kinds = ['refusal', 'reset', 'acceptance', 'unreachable', 'own refusal', 'own acceptance', 'own unreachable'];
		const losses = ['truncated', 'fragment', 'headerChain', 'malformedPacket', 'badQuote'];
		for (const word of [...kinds, ...losses.map((loss) => `lost ${loss}`)]) {
			const share = (comparison.words.get(word) ?? 0) / count;
			assert.ok(share > 0.005, `${word}: ${(100 * share).toFixed(1)} % of ${count} packets`);
		}
		const share = comparison.unopposed / (count * programs.length);
		assert.ok(share < 0.08, `${(100 * share).toFixed(1)} % were not compared`);
	});
});

describe('the comparison', () => {
	const frames = [refusal4(), arpFrame()];

	it('finds nothing where both are right', async () => {
		assert.deepEqual(compare(frames, await opinionsOf(frames)).found, []);
	});

	it('finds a wrong word, once for each program, and shows the packet', async () => {
		const [right] = await opinionsOf(frames);
		const { found } = compare(frames, [{ said: right?.said.replace('8080', '8081') ?? '', loss: 'none' }, nothing]);
		assert.equal(found.length, programs.length);
		assert.match(found[0] ?? '', /8080.*\n.*8081.*\n.*01bb|1f90/);
	});

	it('finds a testimony that the oracle does not have, and one that only the oracle has', async () => {
		const opinions = [...(await opinionsOf(frames))].reverse();
		assert.equal(compare(frames, opinions).found.length, 2 * programs.length);
	});

	it('finds a loss that the oracle does not have', () => {
		const frame = refusal4({ fragment: 0x2000 });
		assert.equal(compare([frame], [nothing]).found.length, programs.length);
		assert.equal(compare([frame], [{ said: 'nothing', loss: 'truncated' }]).found.length, programs.length);
		assert.equal(compare([frame], [{ said: 'nothing', loss: 'fragment' }]).found.length, 0);
	});
});
