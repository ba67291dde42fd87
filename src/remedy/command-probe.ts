/**
 * The command probe: a program of the operator's asks the server in its own way, and exit status 0 says that it serves. It
 * is told whom to ask by its environment, which holds nothing else but a PATH.
 *
 * The contract is that of `Prober`. A program that could not do its work says nothing of the server: one that cannot be
 * started, was killed by a signal, or ended as a shell does that finds no program (126 and 127, POSIX sh, "Exit Status").
 */
import { hostPort, listenerId } from '../table/identity.js';
import type { Listener } from '../table/model.js';
import type { Verdict } from './exchange.js';
import { closedDetail, type ProbeLimits, ProbeQueue, type ProbeResult, questionName } from './probe-queue.js';
import { type ProgramEnd, type RunningProgram, runProgram } from './run-program.js';

/** Processes cost more than sockets, and a director is no place for a fork storm. */
const processesMax = 16;

const shellFailures = [126, 127];

export class CommandProber {
	readonly #queue: ProbeQueue;
	readonly #running = new Set<RunningProgram>();
	#closed = false;

	constructor(limits: ProbeLimits = {}) {
		this.#queue = new ProbeQueue({ underWayMax: processesMax, ...limits });
	}

	/** Asks about the listener. Who asks the same again before the answer is there shares it. Never rejects. */
	probe(listener: Listener, command: readonly string[], timeoutMs: number): Promise<ProbeResult> {
		const { address, port } = listener.endpoint;
		const name = questionName(listenerId(listener), command);
		return this.#queue.put(name, hostPort(address, port), () => this.#ask(listener, command, timeoutMs));
	}

	/** Kills what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#closed = true;
		this.#queue.close();
		for (const program of this.#running) program.kill();
	}

	async #ask(listener: Listener, command: readonly string[], timeoutMs: number): Promise<ProbeResult> {
		const startNs = process.hrtime.bigint();
		const program = runProgram({ command, timeoutMs, environment: environmentOf(listener) });
		this.#running.add(program);
		const end = await program.end;
		this.#running.delete(program);
		const closed: Verdict = { outcome: 'error', detail: closedDetail };
		const { outcome, detail } = this.#closed ? closed : verdictOf(command[0] ?? '', end, timeoutMs);
		return { outcome, latencyMs: Number(process.hrtime.bigint() - startNs) / 1e6, detail };
	}
}

/** IPVIGIL_PORT is 0 where the port is not known; IPVIGIL_VIP and IPVIGIL_VIP_PORT are there in DR and TUN only. */
function environmentOf({ endpoint, vip }: Listener): Record<string, string> {
	return {
		PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
		IPVIGIL_ADDRESS: endpoint.address,
		IPVIGIL_PORT: String(endpoint.port),
		IPVIGIL_PROTOCOL: endpoint.protocol,
		...(vip && { IPVIGIL_VIP: vip.address, IPVIGIL_VIP_PORT: String(vip.port) }),
	};
}

function verdictOf(file: string, end: ProgramEnd, timeoutMs: number): Verdict {
	switch (end.kind) {
		case 'exited': {
			if (end.code === 0) return { outcome: 'accepted', detail: '' };
			const detail = `${file} exited with ${end.code}${firstLine(end.complaint)}`;
			return { outcome: shellFailures.includes(end.code) ? 'error' : 'refused', detail };
		}
		case 'signalled':
			return { outcome: 'error', detail: `${file} was ended by ${end.signal}${firstLine(end.complaint)}` };
		case 'late':
			return { outcome: 'unanswered', detail: `${file} was killed after ${timeoutMs} ms` };
		case 'not-started':
			return { outcome: 'error', detail: `${file} cannot be run: ${end.reason}` };
	}
}

function firstLine(complaint: string): string {
	const [line] = complaint.trim().split('\n');
	return line ? `: ${line}` : '';
}
