/**
 * `ipvigil trace` beside a daemon: it hears what the daemon hears, from every vantage point, disturbs nothing, and what
 * it has recorded prints and decides the same.
 */
import { join } from 'node:path';
import { ipvigil } from '../daemon.js';
import type { Background, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const openLimitMs = 60_000;
const eventLimitMs = 20_000;

interface Line {
	signal: string;
	vantage: string;
	comm?: string;
	newWeight?: number;
	endpoint?: { address: string };
	destination?: { address: string };
	packet?: { octets: string };
}

function linesOf({ lines }: Background): Line[] {
	return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
}

const scenario: Scenario = {
	name: 'trace',
	sentence: 'trace hears every vantage point beside a daemon, and its recording prints and decides the same',
	topology: natIpv4({ servers: 2 }),
	limitMs: 200_000,
	ci: ['6.1'],
	async run(lab: Lab) {
		const { director } = lab.topology;
		const say = (...words: string[]) => lab.exec(director, process.execPath, ipvigil, ...words);
		const [recording, packets] = [join(lab.directory, 'recording'), join(lab.directory, 'trace.pcapng')];
		const daemon = await lab.daemon({ mode: 'observe' });
		const words = ['trace', '-o', 'json', '--server', '10.1.0.11', '--record', recording, '--write', packets];
		const trace = lab.background(director, process.execPath, [ipvigil, ...words]);
		await lab.until('trace watches', openLimitMs, () => trace.lines.some((line) => line.includes('watching an')));

		const told = (what: string, wanted: (line: Line) => boolean) =>
			lab.until(what, eventLimitMs, () => linesOf(trace).find(wanted));
		// No server was started: everyone is refused.
		const traffic = lab.clients.start();
		const seen = await told(
			'a refusal on the wire',
			({ signal, vantage }) => signal === 'refusal' && vantage === 'wire',
		);
		const verified = await told(
			'a verified refusal',
			({ signal, vantage }) => signal === 'refusal' && vantage === 'outcome',
		);
		for (const { packet, vantage } of [seen, verified])
			lab.expect((packet?.octets.length ?? 0) >= 80, `the packet behind it comes along from ${vantage}`, packet);
		await lab.director.ipvsadm('-e', '-t', '10.0.0.100:80', '-r', '10.1.0.11:8080', '-m', '-w', '7');
		const write = await told('a write', ({ signal }) => signal === 'write');
		lab.expect(write.comm === 'ipvsadm' && write.newWeight === 7, 'who wrote which weight is told', write);
		await traffic.stop();
		lab.expect((await trace.stop()) === 0, 'trace ends in order', trace.lines.at(-1));
		lab.note(trace.lines.at(-1) ?? '');

		const all = linesOf(trace);
		const others = all.filter((line) => (line.endpoint ?? line.destination)?.address !== '10.1.0.11');
		lab.expect(others.length === 0, 'only the server that was asked for is told of', others);
		const again = (await say('trace', '-o', 'json', '--read', recording, '--server', '10.1.0.11'))
			.trimEnd()
			.split('\n');
		lab.expect(
			again.join() === trace.lines.filter((line) => line.startsWith('{')).join(),
			'the recording prints the same',
		);
		const decided = await say('replay', recording, '--mode', 'assist', '--probes', 'refused');
		lab.expect(/ failed .* 10\.1\.0\.11:8080 has failed/.test(decided), 'the recording is decided on', decided);
		lab.note(decided.trimEnd());
		lab.expect((await daemon.stop()) === 0, 'the daemon went on beside it, and ends in order');
	},
};

export default scenario;
