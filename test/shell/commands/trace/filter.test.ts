/** Which events the filters of `trace` let pass, and what a filter says that is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vantageNames } from '../../../../src/capture/recording.js';
import type { KernelEvent } from '../../../../src/decode/event.js';
import { Filter, type FilterKind } from '../../../../src/shell/commands/trace/filter.js';
import { OperatorError } from '../../../../src/shell/errors.js';
import { parseRules } from '../../../../src/table/rules.js';
import * as events from './events.js';

const all: Record<string, KernelEvent> = { ...events };

/** `signal refusal`, `not client 10.0.0.0/8`: in the order in which they are typed. */
function filterOf(...words: string[]): Filter {
	const filter = new Filter();
	for (const word of words) {
		const [, not, kind, text] = /^(not )?(\w+) (.*)$/.exec(word) ?? assert.fail(word);
		if (not) filter.not();
		filter.add(kind as FilterKind, text ?? '');
	}
	filter.finish();
	const rules = '-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 1\n';
	const parsed = parseRules(`${rules}-A -f 7 -s rr\n-a -f 7 -r 10.1.0.11:0 -g -w 1\n`);
	assert.ok(parsed.ok);
	filter.setTable(parsed.snapshot);
	return filter;
}

function passing(...words: string[]): string[] {
	const filter = filterOf(...words);
	return Object.keys(all)
		.filter((name) => filter.matches(all[name] as KernelEvent))
		.sort();
}

const everything = Object.keys(all).sort();
const but = (...names: string[]) => everything.filter((name) => !names.includes(name));

test('without a filter everything passes', () => assert.deepEqual(passing(), everything));

test('signals are picked by name, several at a time, and by vantage point', () => {
	assert.deepEqual(passing('signal refusal'), ['refusal']);
	assert.deepEqual(passing('signal reset, write'), ['reset', 'write']);
	assert.deepEqual(passing('signal reset', 'signal write'), ['reset', 'write']);
	assert.deepEqual(passing('signal outcome'), ['learned', 'noDestination', 'outcome']);
	assert.deepEqual(passing('signal wire'), ['refusal', 'reset', 'unreachable']);
});

test('a verified refusal is a refusal too', () => {
	const verified = { ...events.outcome, outcome: 'refused' } as const;
	assert.ok(filterOf('signal refusal').matches(verified));
	assert.ok(!filterOf('signal refusal', 'not signal outcome').matches(verified));
});

test("a service without a port stands before every port of its servers, another protocol's before none", () => {
	const elsewhere = { ...events.refusal, endpoint: { ...events.refusal.endpoint, port: 443 } };
	assert.ok(filterOf('service fwmark 7').matches(elsewhere));
	assert.ok(!filterOf('service tcp 10.0.0.100:80').matches(elsewhere));
	const datagram = { ...events.refusal, endpoint: { ...events.refusal.endpoint, protocol: 'udp' as const } };
	assert.ok(filterOf('service tcp 10.0.0.100:80').matches(events.refusal));
	assert.ok(!filterOf('service tcp 10.0.0.100:80').matches(datagram));
});

test('a server is whom the event speaks of, not who reports it', () => {
	assert.deepEqual(passing('server 10.1.0.11'), ['neighbour', 'refusal', 'reset', 'write']);
	assert.deepEqual(passing('server fd00::10/124'), ['unreachable']);
	assert.deepEqual(passing('server 10.1.0.12,fd00::11'), ['learned', 'outcome', 'unreachable']);
});

test('a client is whom the server served', () => {
	assert.deepEqual(passing('client 192.0.2.0/24'), ['noDestination', 'outcome', 'refusal', 'reset']);
});

test('a service is found by the table where the event names only an endpoint or a host', () => {
	assert.deepEqual(passing('service tcp 10.0.0.100:80'), ['neighbour', 'noDestination', 'refusal', 'reset', 'write']);
	assert.deepEqual(passing('service fwmark 7'), ['learned', 'neighbour', 'outcome', 'refusal', 'reset']);
});

test('filters of different kinds must all agree', () => {
	assert.deepEqual(passing('server 10.1.0.0/16', 'client 192.0.2.7', 'signal refusal,write'), ['refusal']);
});

test('--not turns only the filter behind it round', () => {
	assert.deepEqual(passing('not signal reset'), but('reset'));
	assert.deepEqual(passing('not signal reset', 'server 10.1.0.11'), ['neighbour', 'refusal', 'write']);
	assert.deepEqual(
		passing('not signal reset', 'not client 192.0.2.7'),
		but('reset', 'refusal', 'outcome', 'noDestination'),
	);
	assert.deepEqual(passing('not server 10.1.0.11'), but('neighbour', 'refusal', 'reset', 'write'));
});

test('a vantage point none of whose signals can pass is not wanted', () => {
	const wanted = (...words: string[]) => vantageNames.filter((name) => filterOf(...words).wants(name));
	assert.deepEqual(wanted(), [...vantageNames]);
	assert.deepEqual(wanted('server 10.1.0.11'), [...vantageNames]);
	assert.deepEqual(wanted('signal write'), ['audit']);
	assert.deepEqual(wanted('signal refusal'), ['wire', 'outcome']);
	assert.deepEqual(wanted('not signal outcome,link,neighbour'), ['wire', 'audit']);
	assert.deepEqual(wanted('not signal link'), [...vantageNames]);
});

test('a word that is none is refused and says what there is', () => {
	const cases: [string, RegExp, RegExp][] = [
		[
			'signal refusals',
			/"refusals" names no signal/,
			/There are refusal, reset, unreachable, .*, wire, outcome, audit\./,
		],
		['signal ', /"" names no signal/, /There are/],
		['service 10.0.0.100:80', /"10\.0\.0\.100:80" names no service/, /tcp VIP:PORT/],
		['server eth0', /"eth0" is no network/, /10\.1\.0\.0\/16/],
		['client 10.0.0.0/33', /is no network/, /10\.1\.0\.0\/16/],
	];
	for (const [word, sentence, remedy] of cases)
		assert.throws(
			() => filterOf(word),
			(error) => error instanceof OperatorError && sentence.test(error.message) && remedy.test(error.remedy),
		);
});

test('--not without a filter behind it is refused', () => {
	const filter = new Filter();
	filter.not();
	assert.throws(() => filter.not(), OperatorError);
	assert.throws(() => filter.finish(), OperatorError);
	filter.add('signal', 'reset');
	filter.finish();
});
