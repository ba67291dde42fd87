/** Virtual machines of others on this host: one takes half of a small machine, so figures of the lab wait for its end. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './figure.js';

/** Another emulator is waited for, but not for ever. */
const otherLimitMs = 600_000;
const askEveryMs = 2_000;

/** proc(5): comm is cut at 15 characters. */
async function emulatorRuns(): Promise<boolean> {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
	const programs = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
	return programs.some((program) => program.startsWith('qemu-system'));
}

export async function waitForOthers({ say }: Context): Promise<void> {
	const endMs = Date.now() + otherLimitMs;
	if (await emulatorRuns()) say('another virtual machine runs; waiting for its end');
	while (Date.now() < endMs && (await emulatorRuns())) await sleep(askEveryMs);
}
