/** `explain` on a journal that the judge has written: the stories of test/scenarios/, told backwards. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { controlSocket } from '../../src/report/control.js';
import { Journal } from '../../src/report/journal.js';
import { segmentName } from '../../src/report/segments.js';
import type { Standing } from '../../src/report/standing.js';
import { type Explanation, gather } from '../../src/shell/commands/explain/gather.js';
import { explanationJson, renderExplanation } from '../../src/shell/commands/explain/view.js';
import { playStory, Script } from '../judge/script.js';
import { temporaryDirectory } from '../remedy/example.js';
import { matchesGolden } from '../support/golden.js';

const stories = join(import.meta.dirname, '../../../test/scenarios');
/** When the scripts' clock stands at 1,000,000 ms, where it begins. */
const beginning = Date.parse('2026-11-22T10:00:00.000Z');
const later = new Date(beginning + 600_000);

const server = 'tcp 10.0.0.100:80 > 10.1.0.11:80';

/** The journal of a story, in segments of some lines each; nobody runs in its directory. */
async function journalOf(t: TestContext, story: string): Promise<string> {
	const directory = temporaryDirectory(t);
	const script = new Script();
	playStory(script, readFileSync(join(stories, `${story}.txt`), 'utf8'));
	const onTrouble = (sentence: string) => assert.fail(sentence);
	const journal = new Journal({ directory, segmentBytes: 1_000, segments: 100, onTrouble });
	for (const { bootMs, entry } of script.journal)
		journal.write(entry, bootMs, new Date(beginning + bootMs - 1_000_000));
	await journal.close();
	return directory;
}

async function explained(t: TestContext, story: string, name = '10.1.0.11:80'): Promise<Explanation> {
	const directory = await journalOf(t, story);
	return gather(name, directory, directory);
}

const scenarios = ({ decision }: Explanation) => decision.map(({ scenario }) => scenario);

describe('an explanation', () => {
	test('goes from the suspicion to the end, in words and numbers', async (t) => {
		const whole = await explained(t, 'refused-and-restored');
		assert.deepEqual(scenarios(whole), ['suspect', 'failed', 'quiesced', 'recovering', 'given-back']);
		matchesGolden('explain.txt', renderExplanation(whole, later));
		matchesGolden('explain.json', explanationJson(whole));
	});

	test('makes one step of the renewals, and tells of the cap', async (t) => {
		const whole = await explained(t, 'lease-renewed-and-capped');
		const renewed = whole.decision.find(({ scenario }) => scenario === 'renewed');
		assert.ok(renewed && renewed.times > 1);
		matchesGolden('explain-renewed.txt', renderExplanation(whole, later));
	});

	test('says how it stands, whatever stands', async (t) => {
		const whole = await explained(t, 'refused-and-restored');
		const texts = standings.map((standing) =>
			renderExplanation({ ...whole, ...standing, caveats: standing.standing?.caveats ?? [], decision: [] }, later),
		);
		matchesGolden('explain-standing.txt', texts.join('\n'));
	});

	test('tells of the hold under which it began', async (t) => {
		const whole = await explained(t, 'hold');
		assert.deepEqual(scenarios(whole), ['held', 'suspect', 'failed', 'held-back', 'hold-over', 'quiesced']);
		assert.equal(whole.decision[0]?.destination, undefined);
	});

	test('says what weight 0 does not do to UDP', async (t) => {
		const whole = await explained(t, 'udp-is-told', readId('udp-is-told', /udp \S+ > \S+:\d+/));
		assert.match(renderExplanation(whole, later), /\nUDP: a flow that IPVS knows already goes on/);
	});

	test('of every story that speaks of a destination has its last suspicion or all there is', async (t) => {
		for (const name of readdirSync(stories)) {
			const story = name.replace(/\.txt$/, '');
			const directory = await journalOf(t, story);
			const told = [...new Set(idsIn(directory))];
			for (const id of told) {
				const whole = await gather(id, directory, directory);
				assert.equal(whole.destination, id);
				assert.ok(whole.decision.length > 0, `${story}: ${id}`);
				assert.ok(renderExplanation(whole, later).startsWith(`${id}\n`));
			}
		}
	});

	test("tells of the director's own faults on its way", async (t) => {
		const whole = await explained(t, 'own-link-down');
		assert.deepEqual(scenarios(whole), ['suspect', 'way-impaired', 'way-restored', 'suspicion-over']);
	});

	test('says that its beginning is out of reach only where it is', async (t) => {
		const whole = await explained(t, 'hold');
		const text = (decision: Explanation['decision']) =>
			renderExplanation({ ...whole, historyIsCut: true, decision }, later);
		const headless = /\nIts beginning is further back than was read\.\n$/;
		assert.equal(whole.decision[0]?.scenario, 'held');
		assert.doesNotMatch(text(whole.decision), headless);
		assert.match(text(whole.decision.filter(({ scenario }) => scenario !== 'suspect')), headless);
	});

	test('counts the lines that cannot be read', async (t) => {
		const directory = await journalOf(t, 'refused-and-restored');
		const newest = readdirSync(directory).length;
		appendFileSync(join(directory, segmentName(newest)), '{"at":"2026-11');
		const whole = await gather(server, directory, directory);
		assert.equal(whole.unreadableLines, 1);
		assert.match(renderExplanation(whole, later), /\n1 line of the journal could not be read\.\n$/);
	});

	test('of an ipvigil that does not answer is the history alone, and says so', async (t) => {
		const directory = await journalOf(t, 'refused-and-restored');
		const deaf = createServer((socket) => socket.destroy()).listen(controlSocket(directory));
		t.after(() => deaf.close());
		await once(deaf, 'listening');
		const whole = await gather('10.1.0.11:80', directory, directory);
		assert.deepEqual([whole.running, whole.standing, whole.decision.length], [true, undefined, 5]);
		const said = /\n\nThe ipvigil that runs here cannot be asked: .*\.\nWhat follows is history\.\n\nIts last decision/;
		assert.match(renderExplanation(whole, later), said);
		assert.equal(JSON.parse(explanationJson(whole)).unanswered, whole.unanswered);
		await assert.rejects(gather('10.9.9.9', directory, directory), {
			kind: 'not-found',
			message: /cannot be asked: .*\. The journal in .* knows no destination/,
		});
	});

	test('of what is nowhere offers what is like it', async (t) => {
		const directory = await journalOf(t, 'refused-and-restored');
		await assert.rejects(gather('10.1.0.1', directory, directory), {
			kind: 'not-found',
			message: /^No ipvigil runs here, and the journal in .* knows no destination named "10\.1\.0\.1"\.$/,
			remedy: `Do you mean "${server}"?`,
		});
		const nowhere = join(directory, 'nowhere');
		await assert.rejects(gather(server, nowhere, nowhere), { kind: 'not-found', remedy: 'See ipvigil table.' });
	});
});

const well: Standing = {
	destination: server,
	service: 'tcp 10.0.0.100:80',
	mode: 'assist',
	dryRun: false,
	verdict: 'healthy',
	inTable: true,
	weight: 5,
	forwarding: 'masq',
	scheduler: 'wrr',
	lease: null,
	hold: null,
	handsOffMs: null,
	asked: { listener: 'tcp 10.1.0.11:80', calibrated: true, acceptedMsAgo: 90_000, declinedMsAgo: null },
	signal: null,
	impaired: null,
	caveats: [],
};

const lease: NonNullable<Standing['lease']> = {
	state: 'held',
	written: 0,
	owed: 5,
	since: '2026-11-22T10:00:00.000Z',
	until: '2026-11-22T10:00:30.000Z',
	leftMs: 12_345,
	count: 2,
	ending: null,
	rehearsed: false,
};
const failed: Standing = { ...well, verdict: 'failed', weight: 0, lease, signal: { name: 'refusal', msAgo: 17_655 } };
const notAsked = { listener: 'tcp 10.1.0.11:80', calibrated: false, acceptedMsAgo: null, declinedMsAgo: 400 };
const until = '2026-11-22T12:00:00.000Z';

/** Each kind of lease, hold and obstacle once. */
const standings: Pick<Explanation, 'running' | 'unanswered' | 'standing'>[] = [
	well,
	{ ...failed, caveats: ['A caveat.'] },
	{ ...failed, dryRun: true, lease: { ...lease, rehearsed: true, ending: 'the operator asked' } },
	{ ...failed, mode: 'notify' as const, weight: 5, lease: { ...lease, written: null } },
	{ ...failed, inTable: false, lease: { ...lease, written: null, state: 'with-monitor' as const } },
	{ ...well, hold: { scope: server, reason: 'a disk', until: null, leftMs: null } },
	{ ...well, hold: { scope: 'all', reason: 'a switch', until, leftMs: 7_200_000 } },
	{ ...well, verdict: 'failed' as const, handsOffMs: 42_000, asked: notAsked },
	{ ...well, verdict: 'failed' as const, handsOffMs: 0, asked: null },
	{ ...well, impaired: 'eth1 has lost its carrier' },
	undefined,
].map((standing) => ({ running: true, unanswered: undefined, standing }));

function readId(story: string, id: RegExp): string {
	return id.exec(readFileSync(join(stories, `${story}.txt`), 'utf8'))?.[0] ?? assert.fail(`${story} has no ${id}`);
}

function idsIn(directory: string): string[] {
	const text = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
	const lines = text
		.join('')
		.split('\n')
		.filter((line) => line !== '');
	return lines.flatMap((line) => (JSON.parse(line) as { destination?: string }).destination ?? []);
}
