/**
 * How long `ipvigil run` takes to its first observation, against Node doing nothing; and what the idle daemon costs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ipvigil, observer, setStage } from '../director.js';
import type { Context, Figure, Row } from '../figure.js';
import { Network } from '../network.js';
import { cpuMs, type Peer, residentMb } from '../processes.js';

/** Calibrating probes, the compiler's and the collector's first rounds are over by then. */
const settleMs = 10_000;

async function emptyNode(namespace: string): Promise<number> {
	const beganMs = performance.now();
	const words = [`--net=/run/netns/${namespace}`, process.execPath, '-e', '0'];
	await once(spawn('nsenter', words, { stdio: 'ignore' }), 'close');
	return performance.now() - beganMs;
}

async function start(context: Context, namespace: string, config: string): Promise<{ tookMs: number; daemon: Peer }> {
	const beganMs = performance.now();
	const daemon = context.processes.start(namespace, process.execPath, [ipvigil, 'run', '--config', config]);
	await daemon.next('observing', ({ msg }) => msg?.startsWith('observing') ?? false, 30_000);
	return { tookMs: performance.now() - beganMs, daemon };
}

async function measure(context: Context, namespace: string, config: string): Promise<Row[]> {
	const rounds = context.quick ? 3 : 15;
	const startMs: number[] = [];
	const emptyMs: number[] = [];
	for (let round = 1; round <= rounds; round++) {
		emptyMs.push(await emptyNode(namespace));
		const { tookMs, daemon } = await start(context, namespace, config);
		startMs.push(tookMs);
		await daemon.stop();
	}
	const idle = await measureIdle(context, (await start(context, namespace, config)).daemon);
	const beside = { what: 'node -e 0', measured: emptyMs };
	const goals = [{ of: 'median' as const, atMost: 5 }];
	return [{ what: 'start to the first observation', unit: 'ms', measured: startMs, beside, goals }, ...idle];
}

async function measureIdle({ quick, say }: Context, daemon: Peer): Promise<Row[]> {
	const idleMs = quick ? 5_000 : 20_000;
	say(`idle for ${(settleMs + idleMs) / 1000} s`);
	await sleep(settleMs);
	const beganMs = performance.now();
	const beganCpuMs = await cpuMs(daemon.pid);
	await sleep(idleMs);
	const usedMs = (await cpuMs(daemon.pid)) - beganCpuMs;
	const percent = (100 * usedMs) / (performance.now() - beganMs);
	const megabytes = await residentMb(daemon.pid);
	return [
		{ what: 'idle, CPU of one core', unit: '%', measured: [percent], goals: [{ of: 'max', atMost: 0.3 }] },
		{ what: 'idle, resident memory', unit: 'MB', measured: [megabytes], goals: [{ of: 'max', atMost: 90 }] },
	];
}

async function run(context: Context): Promise<Row[]> {
	const network = await Network.open();
	try {
		await setStage(context, network);
		const config = join(context.directory, 'ipvigil.yaml');
		await mkdir(context.directory, { recursive: true });
		await writeFile(config, JSON.stringify(await observer(context.directory)));
		return await measure(context, network.name('director'), config);
	} finally {
		context.processes.killAll();
		await network.close();
	}
}

export const startFigure: Figure = {
	name: 'start',
	sentence: 'start to the first observation, and what the idle daemon costs',
	conditions:
		'ipvigil run in mode observe over a file of rules (1 service, 4 destinations), tc on veth, metrics served. Started ' +
		'and stopped in turn with Node. CPU time is counted in ticks of 10 ms.',
	run,
};
