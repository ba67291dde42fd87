/**
 * The guest's one Node process: reads the host's plan, runs its scenarios one after the other, each in fresh namespaces
 * and within its time, and reports by events. Ends when the plan does; guest.sh then powers off.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { type LabEvent, type Plan, shareInGuest } from './events.js';
import { build, makeLab, nowMs, takeDown } from './lab.js';
import { makeServer } from './parts.js';
import { Processes } from './process.js';
import type { Scenario } from './scenario.js';
import { loadScenarios } from './scenarios.js';
import { natIpv4 } from './topologies.js';

const scenarioLimitMs = 120_000;

/** Synchronous, so that what was said before a crash of the guest is on the host. */
function emit(event: LabEvent): void {
	appendFileSync(join(shareInGuest, 'events.ndjson'), `${JSON.stringify(event)}\n`);
}

async function runOne(scenario: Scenario, blind: boolean): Promise<void> {
	const beganMs = nowMs();
	const { name } = scenario;
	const directory = join(shareInGuest, blind ? `${name}-blind` : name);
	const processes = new Processes();
	await mkdir(directory, { recursive: true });
	emit({ kind: 'begin', atMs: beganMs, scenario: name });
	let failure: string | undefined;
	try {
		await build(scenario.topology);
		const lab = makeLab({ scenario, blind, directory, processes, emit });
		await withinLimit(scenario.run(lab), scenario.limitMs ?? scenarioLimitMs);
	} catch (error) {
		failure = (error as Error).message;
	}
	await processes.killAll();
	await writeFile(join(directory, 'output.log'), processes.output());
	await takeDown(scenario.topology).catch((error: Error) => {
		failure ??= `the topology does not come down: ${error.message}`;
	});
	emit({
		kind: 'end',
		atMs: nowMs(),
		scenario: name,
		tookMs: nowMs() - beganMs,
		...(failure === undefined ? {} : { failure }),
	});
}

async function withinLimit(work: Promise<void>, limitMs: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
	});
	await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A NAT director with three answering servers; the shell sits on the director, the rest is a namespace away. */
async function shell(): Promise<void> {
	const topology = natIpv4();
	const processes = new Processes();
	await build(topology);
	await Promise.all(topology.servers.map((place) => makeServer(place, topology, processes).start()));
	process.stdout.write(
		`\nA director (namespace di) with ${topology.servers.length} real servers r1.. and clients cl; VIP ` +
			`${topology.vip.address}:${topology.vip.port}.\nTry: ipvsadm -Ln; ipvigil --help; ` +
			'nsenter --net=/run/netns/cl curl 10.0.0.100. "exit" powers off; Ctrl-A X ends it at once.\n\n',
	);
	const child = spawn('nsenter', [`--net=/run/netns/${topology.director}`, 'bash', '-i'], { stdio: 'inherit' });
	await once(child, 'close');
	await processes.killAll();
}

const plan = JSON.parse(await readFile(join(shareInGuest, 'plan.json'), 'utf8')) as Plan;
emit({ kind: 'ready', atMs: nowMs(), release: release() });
if (plan.shell) await shell();
const scenarios = await loadScenarios();
for (const { scenario: name, blind } of plan.runs) {
	const found = scenarios.find((each) => each.name === name);
	if (found) await runOne(found, blind);
	else emit({ kind: 'end', atMs: nowMs(), scenario: name, tookMs: 0, failure: 'no such scenario in the guest' });
}
process.exit(0);
