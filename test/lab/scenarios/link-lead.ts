/**
 * How much earlier a hook's word of a carrier is here than rtnetlink's of the same change, both read by one process: a
 * measurement, for docs/benchmarks.md. The kernel tells ports of bonds and what sits on something else at once, and
 * other links together, at most once a second (net/core/link_watch.c): so a link that changes soon after another one
 * has a case of its own. Dummies stand for hardware, because a veth counts as sitting on its peer.
 */
import { join } from 'node:path';
import { overBond, setCable } from '../links.js';
import { repository } from '../place.js';
import type { Background, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Changes of each kind. */
const rounds = 20;
/** Longer than the second for which the kernel collects changes. */
const quietMs = 1_300;
const limitMs = 20_000;

interface Word {
	kind: string;
	by: 'hook' | 'notice';
	arrivedUs: number;
	name: string;
	number: number;
}

const plain = overBond(natIpv4({ servers: 1 }));

const scenario: Scenario = {
	name: 'link-lead',
	sentence: 'a hook tells of a carrier before rtnetlink does',
	topology: { ...plain, modules: [...plain.modules, 'dummy'] },
	kernels: [],
	limitMs: 400_000,
	async run(lab: Lab) {
		const { director } = lab.topology;
		for (const name of ['hw0', 'hw1']) {
			await lab.exec(director, 'ip', 'link', 'add', name, 'type', 'dummy');
			await lab.exec(director, 'ip', 'link', 'set', name, 'up');
		}
		const watcher = lab.background(director, process.execPath, [join(repository, 'dist/test/lab/link-watch.js')]);
		await lab.until('the watcher listens', 60_000, () => watcher.lines.some((line) => line.includes('"open"')));
		lab.note(watcher.lines[0] ?? '');
		const set = (name: string, up: boolean) =>
			lab.exec(director, 'ip', 'link', 'set', name, 'carrier', up ? 'on' : 'off');

		await measure(lab, watcher, 'hw0', 'a link of its own', async (up) => {
			await lab.sleep(quietMs);
			await set('hw0', up);
		});
		await measure(lab, watcher, 'hw1', 'a link that changes right after another', async (up) => {
			await lab.sleep(quietMs);
			await lab.exec(
				director,
				'sh',
				'-c',
				['hw0', 'hw1'].map((name) => `ip link set ${name} carrier ${up ? 'on' : 'off'}`).join(';'),
			);
		});
		await measure(lab, watcher, 's1', 'a port of a bond', async (up) =>
			setCable(lab, director, 's1', up ? 'up' : 'down'),
		);
		await watcher.stop();
	},
};

async function measure(
	lab: Lab,
	watcher: Background,
	name: string,
	what: string,
	change: (up: boolean) => Promise<unknown>,
): Promise<void> {
	const leadsMs: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const before =
			words(watcher, name).length === 0 ? 0 : Math.max(...words(watcher, name).map(({ number }) => number));
		await change(round % 2 === 1);
		const told = await lab.until(`both tell of ${name}`, limitMs, () => {
			const fresh = words(watcher, name).filter(({ number }) => number > before);
			const hook = fresh.find(({ by }) => by === 'hook');
			const notice = hook && fresh.find(({ by, number }) => by === 'notice' && number >= hook.number);
			return notice && { hook, notice };
		});
		leadsMs.push((told.notice.arrivedUs - told.hook.arrivedUs) / 1_000);
	}
	leadsMs.sort((a, b) => a - b);
	const at = (share: number) => leadsMs[Math.floor(share * (leadsMs.length - 1))]?.toFixed(1);
	lab.fact(`${what}: the hook's lead, ms`, `median ${at(0.5)}, from ${at(0)} to ${at(1)}, n ${leadsMs.length}`);
}

function words(watcher: Background, name: string): Word[] {
	return watcher.lines
		.filter((line) => line.startsWith('{'))
		.map((line) => JSON.parse(line) as Word)
		.filter((word) => word.kind === 'carrier' && word.name === name);
}

export default scenario;
