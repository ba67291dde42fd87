/** What 1,024 services of 16 destinations cost: the judge's steps, a scrape, memory, and CPU at rest. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ipvigil, observer } from '../director.js';
import type { Context, Figure, Row } from '../figure.js';
import { Court, destinationsPerService, rulesOf } from '../large-table.js';
import { Network } from '../network.js';
import { cpuMs, type Peer, residentMb } from '../processes.js';

const services = 1_024;
const fewServices = 4;
const eventsPerSecond = 20_000;
const metricsUrl = 'http://127.0.0.1:9478/metrics';
const readyMadePort = 9_479;
/** One endpoint a millisecond is calibrated (judge/state.ts): 16,384 take 17 s and some. */
const calibrationLimitMs = 60_000;

function judgeRows({ quick, say }: Context): Row[] {
	const rounds = quick ? 20 : 200;
	say(`the judge alone: ${services} services beside ${fewServices}, ${rounds} rounds`);
	const many = new Court(services);
	const few = new Court(fewServices);
	const rows: Row[] = [
		{
			what: 'a decision by the judge',
			unit: 'us',
			measured: [],
			beside: { what: `with ${fewServices} services`, measured: [] },
		},
		{ what: 'an unchanged table read again', unit: 'us', measured: [] },
	];
	const [decision, table] = rows;
	for (let round = 0; round < rounds; round++) {
		decision?.measured.push(many.decisionUs());
		decision?.beside?.measured.push(few.decisionUs());
		if (round % 10 === 0) table?.measured.push(many.sameTableUs());
	}
	return rows;
}

/** The witness and the judge under a storm, in a process of their own; and the same process with nothing to weigh. */
async function stormRows({ quick, say, processes }: Context): Promise<Row[]> {
	const seconds = quick ? 2 : 20;
	const weighed = async (perSecond: number) => {
		const weigher = processes.script(undefined, 'weigher', String(services), String(perSecond), String(seconds));
		const line = await weigher.next('weighed', ({ kind }) => kind === 'weighed', calibrationLimitMs + seconds * 2_000);
		return { percent: Number(line.percent), residentMb: Number(line.residentMb) };
	};
	say(`${eventsPerSecond} refusals a second for ${seconds} s`);
	const [storm, calm] = [await weighed(eventsPerSecond), await weighed(0)];
	return [
		{
			what: `${eventsPerSecond} refusals a second weighed, CPU of one core`,
			unit: '%',
			measured: [storm.percent],
			beside: { what: 'none', measured: [calm.percent] },
		},
		{
			what: 'memory of that process',
			unit: 'MB',
			measured: [storm.residentMb],
			beside: { what: 'none', measured: [calm.residentMb] },
		},
	];
}

async function startDaemon(context: Context, namespace: string): Promise<Peer> {
	const { directory, processes } = context;
	const config = join(directory, 'ipvigil.yaml');
	const observing = { ...(await observer(directory, rulesOf(services))), interfaces: ['lo'] };
	await writeFile(config, JSON.stringify(observing));
	const hands = processes.script(namespace, 'hands');
	await hands.ask({ action: 'listen', address: '0.0.0.0', port: 8080 }, 'listening');
	const daemon = processes.start(namespace, process.execPath, [ipvigil, 'run', '--config', config]);
	await daemon.next('observing', ({ msg }) => msg?.startsWith('observing') ?? false, 60_000);
	return daemon;
}

async function daemonRows(context: Context, namespace: string): Promise<Row[]> {
	const { quick, say } = context;
	const daemon = await startDaemon(context, namespace);
	const calibrationMs = Math.min(services * destinationsPerService * 1.25 + 2_000, calibrationLimitMs);
	say(`the daemon calibrates ${services * destinationsPerService} probes`);
	await sleep(calibrationMs);
	// Readings of so large a table are half a minute apart (shell/table-feed.ts): two fall into this, at least one.
	const restMs = quick ? 4_000 : 60_000;
	say(`at rest for ${restMs / 1000} s`);
	const beganMs = performance.now();
	const beganCpuMs = await cpuMs(daemon.pid);
	await sleep(restMs);
	const percent = (100 * ((await cpuMs(daemon.pid)) - beganCpuMs)) / (performance.now() - beganMs);
	const rows: Row[] = [
		{ what: 'at rest, CPU of one core', unit: '%', measured: [percent], goals: [{ of: 'max', atMost: 1 }] },
	];
	const before = await residentMb(daemon.pid);
	rows.push(await scrapeRow(context, namespace));
	const after = await residentMb(daemon.pid);
	const goals = [{ of: 'max' as const, atMost: 150 }];
	rows.push({ what: 'resident memory, before and after the scrapes', unit: 'MB', measured: [before, after], goals });
	return rows;
}

async function scrapeRow({ quick, processes, say }: Context, namespace: string): Promise<Row> {
	const readyMade = processes.script(namespace, 'ready-made', metricsUrl, String(readyMadePort));
	const { series } = await readyMade.next('ready', ({ kind }) => kind === 'ready', 30_000);
	say(`scrapes of ${series} lines`);
	const urls = [metricsUrl, `http://127.0.0.1:${readyMadePort}/`];
	const scraper = processes.script(namespace, 'scraper', quick ? '4' : '30', ...urls);
	const { measured, beside } = await scraper.next('scraped', ({ kind }) => kind === 'scraped', 120_000);
	return {
		what: `a scrape of ${series} lines`,
		unit: 'ms',
		measured: measured as number[],
		beside: { what: 'as many ready-made', measured: beside as number[] },
		goals: [{ of: 'median', atMost: 2 }],
	};
}

async function run(context: Context): Promise<Row[]> {
	const rows = [...judgeRows(context), ...(await stormRows(context))];
	const network = await Network.open();
	try {
		return [...rows, ...(await daemonRows(context, network.name('server')))];
	} finally {
		context.processes.killAll();
		await network.close();
	}
}

export const scale: Figure = {
	name: 'scale',
	sentence: `${services} services of ${destinationsPerService} destinations`,
	conditions:
		'The daemon observes a file of rules, which it reads and parses (a director asks the kernel instead); every endpoint ' +
		'is a loopback address behind one listener, so that all probes are calibrated. Scrapes over HTTP, in turn.',
	run,
};
