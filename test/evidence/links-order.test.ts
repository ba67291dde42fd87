/**
 * The book of links, by properties: a made-up history of one bond is played to three witnesses, and what they say is
 * shuffled, each keeping its own order, some of it heard twice.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LinkEvent } from '../../src/decode/event.js';
import { LinkBook, type LinkChange, type Look } from '../../src/evidence/links.js';
import type { Link } from '../../src/netlink/route.js';
import { bondLink, carrierEvent, lookOf, slaveLink } from './link-samples.js';

/** One instant of the history: the carrier of s0 changes, or the bond's active slave does. */
type Step = { what: 'carrier' } | { what: 'active'; slave: number };

interface Instant {
	atUs: number;
	carrierChanges: number;
	active: number;
}

const steps = fc.array(
	fc.oneof(
		fc.constant<Step>({ what: 'carrier' }),
		fc.record({ what: fc.constant('active' as const), slave: fc.integer({ min: 0, max: 3 }) }),
	),
	{ minLength: 1, maxLength: 12 },
);

/** 1 s apart: what is closer than two looks is told of in other words, and tried above. */
const stepUs = 1_000_000;

function historyOf(list: readonly Step[]): Instant[] {
	const instants: Instant[] = [{ atUs: 0, carrierChanges: 0, active: 2 }];
	for (const [index, step] of list.entries()) {
		const last = instants.at(-1) ?? assert.fail();
		const atUs = (index + 1) * stepUs;
		instants.push(
			step.what === 'carrier'
				? { ...last, atUs, carrierChanges: last.carrierChanges + 1 }
				: { ...last, atUs, active: step.slave },
		);
	}
	return instants;
}

function linksAt({ carrierChanges, active }: Instant): Link[] {
	const s0 = { ...slaveLink(2, 's0'), carrierChanges, carrier: carrierChanges % 2 === 0 };
	return [bondLink(active), s0, slaveLink(3, 's1')];
}

type Heard = (book: LinkBook) => LinkChange[];

/** What each witness says of the history, in its own order. A notice comes `delays[n]` after the change. */
function witnesses(history: readonly Instant[], hooks: boolean, looks: readonly number[]): Heard[][] {
	const changes = history.slice(1).map((now, index) => ({ now, before: history[index] ?? now }));
	const hook = changes.flatMap(({ now, before }): Heard[] => {
		if (now.carrierChanges !== before.carrierChanges) {
			const to = now.carrierChanges % 2 === 0 ? 'up' : 'down';
			return [(book) => book.hearEvent(carrierEvent(2, to, now.carrierChanges, now.atUs))];
		}
		if (now.active === before.active) return [];
		const event: LinkEvent = {
			...carrierEvent(10, 'up', 0, now.atUs),
			change: 'activeSlave',
			value: now.active,
		};
		return [(book) => book.hearEvent(event)];
	});
	const notices = changes.flatMap(({ now }) =>
		linksAt(now).map(
			(link): Heard =>
				(book) =>
					book.hearNotice({ kind: 'link', change: 'set', link }, now.atUs + 1_000),
		),
	);
	const look = looks.map((at): Heard => {
		const instant = history[at % history.length] ?? assert.fail();
		return (book) => book.see(lookOf(instant.atUs + 500_000, linksAt(instant)));
	});
	return [hooks ? hook : [], notices, look];
}

/** Some order that keeps each witness's own: `picks` says whose turn it is. Each may be heard twice. */
function interleave(streams: readonly Heard[][], picks: readonly number[]): Heard[] {
	const queues = streams.map((stream) => [...stream]);
	const order: Heard[] = [];
	for (const pick of picks) {
		const queue = queues[pick % queues.length];
		const next = pick >= queues.length ? queue?.[0] : queue?.shift();
		if (next) order.push(next);
	}
	return [...order, ...queues.flat()];
}

const endOf = (history: readonly Instant[]) => history.at(-1) ?? assert.fail();
const activeName = (index: number) => (['none', '1', 's0', 's1'] as const)[index] ?? assert.fail();

function play(history: readonly Instant[], order: readonly Heard[]): { book: LinkBook; changes: LinkChange[] } {
	const book = new LinkBook();
	book.see(lookOf(0, linksAt(history[0] ?? assert.fail())));
	const changes = order.flatMap((hear) => hear(book));
	return { book, changes };
}

function finalLook(history: readonly Instant[]): Look {
	return lookOf(endOf(history).atUs + 10 * stepUs, linksAt(endOf(history)));
}

const picks = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 120 });
const lookTimes = fc.array(fc.nat({ max: 12 }), { maxLength: 5 }).map((list) => list.sort((a, b) => a - b));

describe('whatever the order in which hooks, notices and looks are heard, and however often', () => {
	it('a carrier’s changes are counted once each, and the last word is true', () => {
		fc.assert(
			fc.property(steps, fc.boolean(), lookTimes, picks, (list, hooks, looks, turns) => {
				const history = historyOf(list);
				const { book, changes } = play(history, interleave(witnesses(history, hooks, looks), turns));
				const all = [...changes, ...book.see(finalLook(history))].filter(({ what }) => what === 'carrier');
				const real = endOf(history).carrierChanges;
				assert.equal(
					all.reduce((sum, { times }) => sum + times, 0),
					real,
				);
				if (real > 0) assert.equal(all.at(-1)?.to, real % 2 === 0 ? 'up' : 'down');
			}),
			{ numRuns: 1_000 },
		);
	});

	it('an active slave is never told that was not, none is told twice running, and a last look makes it true', () => {
		fc.assert(
			fc.property(steps, fc.boolean(), lookTimes, picks, (list, hooks, looks, turns) => {
				const history = historyOf(list);
				const { book, changes } = play(history, interleave(witnesses(history, hooks, looks), turns));
				const all = [...changes, ...book.see(finalLook(history))].filter(({ what }) => what === 'activeSlave');
				for (const [index, change] of all.entries()) assert.equal(change.from, index === 0 ? 's0' : all[index - 1]?.to);
				assert.ok(all.every(({ from, to }) => from !== to));
				const real: string[] = history.map(({ active }) => activeName(active));
				let at = 0;
				for (const { to } of all) {
					at = real.indexOf(to, at);
					assert.ok(at >= 0, `${to} is told where the history is ${real.join(' ')}`);
				}
				assert.equal(all.at(-1)?.to ?? 's0', activeName(endOf(history).active));
			}),
			{ numRuns: 1_000 },
		);
	});

	it('hooks alone, each heard twice, tell exactly the history', () => {
		fc.assert(
			fc.property(steps, (list) => {
				const history = historyOf(list);
				const [hook = []] = witnesses(history, true, []);
				const { changes } = play(
					history,
					hook.flatMap((heard) => [heard, heard]),
				);
				assert.equal(changes.length, hook.length);
			}),
		);
	});
});
