/** Everything dies: the last server keeps its weight, what the floor stopped is told, and is made up for later. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalEntry } from '../../../src/judge/action.js';
import { awaitLine } from '../lines.js';
import { metric } from '../metrics.js';
import { concerns, expectWeights, setWatchedStage } from '../refusals.js';
import type { Lab, RealServer, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const hookLimitMs = 20_000;

const scenario: Scenario = {
	name: 'nat-floor',
	sentence: 'the last usable server is never taken out, the overflow is told, and it goes once another is back',
	ci: ['7'],
	topology: natIpv4({ servers: 3 }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const hookFile = join(lab.directory, 'hook.ndjson');
		const stage = await setWatchedStage(lab, {
			// Else half of the weight would stay before it comes to the last.
			policy: { takenShareMax: 1, frozenShare: 1 },
			monitors: { exec: { command: ['/bin/sh', '-c', `cat >>'${hookFile}'`] } },
		});
		const [first, second, last] = lab.servers;
		lab.expect(first !== undefined && second !== undefined && last !== undefined, 'there are three servers');
		for (const server of [first, second]) {
			await server.kill();
			await awaitLine(lab, stage.daemon, 'quiesced', server);
		}
		await last.kill();
		const overflow = await awaitLine(lab, stage.daemon, 'overflow', last);
		lab.expect(overflow.facts.reason === 'floor', 'it was the floor that stopped it', overflow);
		await expectWeights(lab, [0, 0, 100]);
		await expectTold(lab, hookFile, last);
		await expectCounted(lab, 1);

		await first.start();
		lab.note(`${first.name} listens again`);
		await awaitLine(lab, stage.daemon, 'given-back', first);
		await awaitLine(lab, stage.daemon, 'quiesced', last);
		await expectWeights(lab, [100, 0, 0]);
		await Promise.all([second.start(), last.start()]);
		lab.note(`${second.name} and ${last.name} listen again`);
		await awaitLine(lab, stage.daemon, 'given-back', second);
		await awaitLine(lab, stage.daemon, 'given-back', last);
		await expectWeights(lab, [100, 100, 100]);
		await expectCounted(lab, 1);
		await stage.traffic.stop();
		lab.expect((await stage.daemon.stop()) === 0, 'ipvigil stops in order', stage.daemon.lines.slice(-5));
	},
};

/** The hook has the journal's entry on its standard input: `cat` keeps it. */
async function expectTold(lab: Lab, file: string, server: RealServer): Promise<void> {
	const told = await lab.until('the exec hook was told of the overflow', hookLimitMs, async () => {
		const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
		return lines.map((line) => JSON.parse(line) as JournalEntry).find(concerns('overflow', server));
	});
	lab.expect(told.facts.reason === 'floor' && told.sentence.includes('last usable'), 'the hook is told why', told);
	lab.note('the exec hook was told so');
}

async function expectCounted(lab: Lab, count: number): Promise<void> {
	const series = 'ipvigil_ejections_overflow_total{reason="floor"}';
	const found = await metric(lab, series);
	lab.expect(found === count, `the metric ${series} is ${count}`, found);
}

export default scenario;
