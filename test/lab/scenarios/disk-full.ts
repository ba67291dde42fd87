/**
 * The disk of the journal is full: decisions go on without it, that it cannot be written is told, and what waited is
 * written once there is room.
 */
import { join } from 'node:path';
import { awaitLine } from '../lines.js';
import { scrape } from '../metrics.js';
import { setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const diskBytes = 65_536;
const weightLimitMs = 20_000;
/** A failed write is tried again every 5 s. */
const tellLimitMs = 30_000;

const scenario: Scenario = {
	name: 'disk-full',
	sentence: 'with the disk of its journal full ipvigil goes on deciding, says so, and catches up when there is room',
	ci: ['6.1'],
	topology: natIpv4({ servers: 3 }),
	limitMs: 180_000,
	async run(lab: Lab) {
		const disk = join(lab.directory, 'disk');
		await lab.exec('di', 'mkdir', '-p', disk);
		await lab.exec('di', 'mount', '-t', 'tmpfs', '-o', `size=${diskBytes}`, 'disk', disk);
		try {
			await decideOnFullDisk(lab, disk);
		} finally {
			await lab.exec('di', 'umount', '-l', disk);
		}
	},
};

async function decideOnFullDisk(lab: Lab, disk: string): Promise<void> {
	const stage = await setWatchedStage(lab, { journalDirectory: join(disk, 'journal') });
	const { victim, daemon, traffic } = stage;
	await fill(lab, disk);
	const killedMs = lab.nowMs();
	await victim.kill();
	await awaitWeight(lab, stage, 0);
	await awaitLog(lab, stage, 'the journal cannot be written (ENOSPC');
	await victim.start();
	await awaitWeight(lab, stage, 100);
	lab.expect((await daemon.journal()).length === 0, 'no line has found room', await daemon.journal());
	await expectNothingLost(lab);

	await lab.exec('di', 'rm', filler(disk));
	lab.note('there is room again');
	await awaitLog(lab, stage, 'the journal is written again; 0 lines have been lost');
	const words = ['suspect', 'failed', 'quiesced', 'recovering', 'given-back'];
	for (const word of words) await awaitLine(lab, daemon, word, victim, killedMs);
	await traffic.stop();
	lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
}

const filler = (disk: string) => join(disk, 'filler');

/** To the last octet: dd ends in failure where the disk ends. */
async function fill(lab: Lab, disk: string): Promise<void> {
	await lab.exec('di', 'sh', '-c', `dd if=/dev/zero of='${filler(disk)}' bs=4096 2>/dev/null || true`);
	const free = await lab.exec('di', 'stat', '-f', '-c', '%a', disk);
	lab.expect(free.trim() === '0', 'the disk is full', free);
	lab.note('the disk of the journal is full');
}

async function awaitWeight(lab: Lab, { victim }: WatchedStage, weight: number): Promise<void> {
	await lab.until(
		`weight of ${victim.destination} is ${weight}`,
		weightLimitMs,
		async () => (await lab.director.weight(victim.destination)) === weight,
	);
	lab.note(`the weight of ${victim.name} is ${weight}`);
}

/** Once for the whole time that it lasts. */
async function awaitLog(lab: Lab, { daemon }: WatchedStage, start: string): Promise<void> {
	const told = () => daemon.log().filter(({ msg }) => msg.startsWith(start));
	const [line] = await lab.until(`the log says "${start}…"`, tellLimitMs, () => told().length > 0 && told());
	lab.note(line?.msg ?? '');
	lab.expect(told().length === 1, 'it is told once', told());
}

/** What waits for the disk is not lost; that it could not be written is counted. */
async function expectNothingLost(lab: Lab): Promise<void> {
	const lost = (await scrape(lab)).filter(({ name, value }) => name === 'ipvigil_lost_total' && value > 0);
	const places = lost.map(({ labels }) => labels.place);
	lab.expect(places.join() === 'journal_write', 'only the failed writes are counted', lost);
}

export default scenario;
