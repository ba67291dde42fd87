/**
 * What weighing costs: `weigher SERVICES EVENTS-PER-SECOND SECONDS`. The witness and the judge of a daemon with so large a
 * table take so many verified refusals a second, spread over all destinations and 4,096 client networks; every probe is
 * accepted at once, and nothing is carried out. Told at the end: the CPU time and the memory that it took.
 */
import type { OutcomeEvent } from '../../../src/decode/event.js';
import { createState } from '../../../src/judge/state.js';
import { termsForAll } from '../../../src/judge/terms.js';
import { type Executors, Loop } from '../../../src/shell/loop.js';
import { Witness } from '../../../src/shell/witness.js';
import { parseRules } from '../../../src/table/rules.js';
import { rulesOf } from '../large-table.js';
import { answer } from './lines.js';

const [services = 1, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const batchEveryMs = 10;

const parsed = parseRules(rulesOf(services));
if (!parsed.ok) throw new Error(`line ${parsed.line}: ${parsed.found}`);
const { snapshot } = parsed;
const terms = termsForAll({ mode: 'assist' });
const witness = new Witness(() => terms.others.policy.windowMs, process.pid);
witness.attempts = 'outcome';
let probes = 0;
const nothing = () => {};
const executors: Omit<Executors, 'schedule'> = {
	probe: ({ id, purpose }) => {
		probes += 1;
		setImmediate(() =>
			loop.take({ kind: 'probe', listener: id, purpose, outcome: 'accepted', latencyMs: 0, detail: '' }),
		);
	},
	setWeight: nothing,
	giveBack: nothing,
	ledger: nothing,
	forget: nothing,
	bind: nothing,
	tell: nothing,
	journal: nothing,
	remember: nothing,
	keepHolds: nothing,
};
const nowMs = () => performance.now();
const loop: Loop = new Loop(createState({ terms, pid: 1, dryRun: true, binding: false, seed: 1 }), nowMs, executors);
loop.take({ kind: 'table', snapshot, sinceMs: nowMs() });

const targets = snapshot.services.flatMap(({ address, destinations }) =>
	destinations.map((destination) => ({ service: address, destination })),
);
const counters = {
	scheduled: 1,
	accepted: 0,
	asked: 0,
	answered: 0,
	refused: 1,
	synRepeated: 0,
	unanswered: 0,
	dataRepeated: 0,
	resets: 0,
	gaveUp: 0,
	withdrawn: 0,
	lastAcceptedNs: 0,
};

function refusal(number: number): OutcomeEvent {
	const target = targets[(number * 7_919) % targets.length];
	if (!target) throw new Error('the table is empty');
	return {
		kind: 'outcome',
		atUs: nowMs() * 1_000,
		outcome: 'refused',
		...target,
		client: `10.${number & 15}.${(number >> 4) & 255}.7`,
		clientPort: 40_000,
		serverPort: target.destination.port,
		suppressed: 0,
		waiting: 0,
		waitingUs: 0,
		counters,
	};
}

/** Calibrated first, or the answers to the questions of suspicion would be lost among them. */
await new Promise((resolve) => setTimeout(resolve, 2_000 + targets.length * 1.25));
probes = 0;
const began = process.cpuUsage();
const beganMs = nowMs();
let taken = 0;
const timer = setInterval(() => {
	const due = Math.floor(((nowMs() - beganMs) / 1_000) * perSecond);
	for (; taken < due; taken++) {
		const message = witness.hear(refusal(taken), nowMs());
		if (message) loop.take(message);
	}
	if (nowMs() - beganMs < seconds * 1_000) return;
	clearInterval(timer);
	const { user, system } = process.cpuUsage(began);
	const percent = (100 * (user + system)) / 1_000 / (nowMs() - beganMs);
	answer({ kind: 'weighed', percent, residentMb: process.memoryUsage.rss() / 1e6, taken, probes });
	loop.close();
}, batchEveryMs);
