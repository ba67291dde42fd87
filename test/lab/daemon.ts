/**
 * ipvigil as a scenario sees it: a process in the director's namespace with a configuration and directories of its own,
 * its log, and its journal read from the files.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalLine } from '../../src/report/segments.js';
import { repository } from './place.js';
import type { BackgroundProcess } from './process.js';
import type { Background, Daemon, DaemonConfig, Lab } from './scenario.js';

export const ipvigil = join(repository, 'dist/src/bundle/cli.js');

/** One calibrating probe each, tried again every 5 s; ten rounds of it. */
const calibrationLimitMs = 50_000;

/** As a director in assist mode would run it; what a scenario gives goes on top. */
export function daemonConfig(
	directory: string,
	config: DaemonConfig,
): DaemonConfig & { runtimeDirectory: string; journalDirectory: string } {
	return {
		mode: 'assist',
		runtimeDirectory: '/run/ipvigil',
		journalDirectory: join(directory, 'journal'),
		pinDirectory: '/sys/fs/bpf/ipvigil',
		...config,
	};
}

/** A background process with the daemon's ways of speaking. */
export function asDaemon(
	process: BackgroundProcess,
	lab: Lab,
	runtimeDirectory: string,
	journalDirectory: string,
): Daemon {
	const journal = () => readJournal(journalDirectory);
	const daemon = {
		runtimeDirectory,
		journal,
		log: () => process.lines.flatMap((line) => parsed<{ level: string; msg: string }>(line)),
		journaled: (what: string, limitMs: number, fits: (line: JournalLine) => boolean) =>
			lab.until(`journal has ${what}`, limitMs, async () => (await journal()).find(fits)),
		calibrated: async (destinations: string[]) => {
			await lab.until(`the probes of ${destinations.join(', ')} are calibrated`, calibrationLimitMs, async () => {
				const known = await readFile(join(runtimeDirectory, 'calibrated.json'), 'utf8').catch(() => '[]');
				return destinations.every((destination) => isCalibrated(known, destination));
			});
		},
	};
	return Object.defineProperties(daemon, forwarded(process)) as Daemon;
}

/** On its own address, or, in DR and TUN, on the VIP. */
function isCalibrated(known: string, destination: string): boolean {
	const address = destination.slice(0, destination.lastIndexOf(':')).replace(/^\[|\]$/g, '');
	return known.includes(` ${destination}"`) || known.includes(` on ${address}"`);
}

/** The members of Background, live: `ended` and `lines` change while the scenario looks. */
function forwarded(process: Background): PropertyDescriptorMap {
	return {
		pid: { get: () => process.pid },
		lines: { get: () => process.lines },
		ended: { get: () => process.ended },
		signal: { value: (name: NodeJS.Signals) => process.signal(name) },
		stop: { value: (limitMs?: number) => process.stop(limitMs) },
		kill: { value: () => process.kill() },
	};
}

/** All segments, oldest first: their names sort so. A line that is still being written is left for the next reading. */
async function readJournal(directory: string): Promise<JournalLine[]> {
	const names = await readdir(directory).catch(() => []);
	const segments = names.filter((name) => name.endsWith('.ndjson')).sort();
	const texts = await Promise.all(segments.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
	const lines = texts.flatMap((text) => text.split('\n').flatMap((line) => parsed<JournalLine>(line)));
	return lines.sort((a, b) => a.bootMs - b.bootMs);
}

function parsed<T>(line: string): T[] {
	if (!line.startsWith('{')) return [];
	try {
		return [JSON.parse(line) as T];
	} catch {
		return [];
	}
}
