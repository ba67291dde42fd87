/**
 * The fine print of attempts: what only looks like a failure of the server is not counted as one, and failures after the
 * acceptance are told apart.
 */
import { AttemptCounts, answerLimitMs, client, request } from '../attempt-counts.js';
import type { Lab, RealServer, Scenario } from '../scenario.js';
import { direct, hostPort, nat } from '../topologies.js';

/** An attempt is settled as unanswered within four and a half epochs of 0.54 s. */
const settledMs = 2_500;

const natScenario: Scenario = {
	name: 'attempts-nat',
	sentence: 'what only looks like a failure is not counted, and failures after the acceptance are told apart',
	topology: nat({ servers: 1 }),
	kernels: ['6.1'],
	async run(lab: Lab) {
		const server = lab.server('r1');
		await server.start();
		const watch = new AttemptCounts(lab, server.destination);
		await watch.opened();
		const { vip, clients } = lab.topology;
		const connect = async (then: string) => {
			const started = lab.background(clients.node, process.execPath, ['-e', client(vip, '', then)]);
			await lab.until('a client is connected', answerLimitMs, () => started.lines.includes('connected'));
			return started;
		};

		await connect(`socket.end(${request})`);
		await watch.expect('a half-closed connection is answered', { scheduled: 1, accepted: 1, asked: 1, answered: 1 });

		await connect('');
		await watch.expect('a client that asks nothing is not unanswered', { scheduled: 1, accepted: 1 });

		server.hang();
		await connect(`socket.write(${request})`);
		await watch.expect('a hung server is asked', { scheduled: 1, accepted: 1, asked: 1 });
		await server.kill();
		await watch.expect('a server that dies with a request in hand resets', { resets: 1 });

		await server.start();
		// Else it would let go of a client that asks nothing.
		server.hang();
		const late = await connect(`process.once('SIGUSR2', () => socket.write(${request}))`);
		await watch.expect('a connection is accepted', { scheduled: 1, accepted: 1 });
		await server.unplug();
		late.signal('SIGUSR2');
		await watch.expect('the host is gone, and the client repeats its data', { asked: 1, dataRepeated: 1 });
		await late.kill();
		await server.plug();
		server.resume();

		await lied(lab, server, watch);
		await refused(lab, server, watch);
		await delayed(lab, server, watch);
		await unscheduled(lab, server, watch);
		await expired(lab, server, watch);
		const told = new Set(watch.outcomes());
		lab.expect(told.has('reset') && told.has('dataRepeated'), 'what failed after the acceptance is told', [...told]);
		lab.expect(told.has('plausiblyRefused') && told.has('refused'), 'refusals are told, each as it is', [...told]);
	},
};

/** Who sends a SYN can send its refusal too. A silent server leaves the liar all the time that it needs. */
async function lied(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	// What the clients before leave behind has been counted by then.
	await lab.sleep(settledMs);
	await watch.changes();
	await server.unplug();
	const from = { node: lab.topology.clients.node, interface: 'front0' };
	await lab.forge({ kind: 'refused-syn', from, server, count: 3, ratePerS: 10 });
	await watch.expect('refusals are counted', { scheduled: 3, refused: 3 });
	lab.expect(!watch.outcomes().includes('refused'), 'from the side of the SYN none is verified', watch.outcomes());
	await server.plug();
}

async function refused(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	await server.kill();
	const traffic = lab.clients.start({ ratePerS: 2 });
	await lab.until('a client is refused', answerLimitMs, () => traffic.totals().refused > 0);
	await traffic.stop();
	lab.expect(watch.outcomes().includes('refused'), 'from the other side it is verified', watch.outcomes());
	await server.start();
}

/** The server answers after 1.5 s, when the client has already gone. */
async function delayed(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	await lab.exec(server.name, 'tc', 'qdisc', 'add', 'dev', 'back0', 'root', 'netem', 'delay', '1500ms');
	await lab.sleep(settledMs);
	await watch.changes();
	const traffic = lab.clients.start({ ratePerS: 2, timeoutMs: 500 });
	await lab.until('three clients have gone', answerLimitMs, () => traffic.totals().timeout >= 3);
	const { started } = await traffic.stop();
	await watch.expect('a client that went before the answer came has withdrawn', {
		scheduled: started,
		withdrawn: started,
	});
	await lab.exec(server.name, 'tc', 'qdisc', 'del', 'dev', 'back0', 'root');
}

/** The scheduler finds no server: that speaks of the service, and is no attempt of any destination. */
async function unscheduled(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	const address = ['-t', hostPort(lab.topology.vip), '-r', server.destination, '-m'];
	await lab.sleep(settledMs);
	await watch.changes();
	await lab.director.ipvsadm('-e', ...address, '-w', '0');
	const traffic = lab.clients.start({ ratePerS: 5, timeoutMs: 500 });
	await lab.until('three clients have failed', answerLimitMs, () => traffic.failures.length >= 3);
	await traffic.stop();
	await lab.director.ipvsadm('-e', ...address, '-w', '100');
	const changes = await watch.changes();
	lab.expect(Object.keys(changes).length === 0, 'the server is not blamed', changes);
	lab.expect((await watch.withoutDestination()) >= 3, 'the service had no destination for them');
	lab.expect(watch.outcomes().includes('noDestination'), 'and it is told', watch.outcomes());
}

/** IPVS itself forgets attempts, here because their destination is deleted: that is nobody's failure. */
async function expired(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	const { director, vip } = lab.topology;
	await lab.exec(director, 'sysctl', '-q', '-w', 'net.ipv4.vs.expire_nodest_conn=1');
	await lab.sleep(settledMs);
	await watch.changes();
	await server.unplug();
	const traffic = lab.clients.start({ ratePerS: 20, timeoutMs: 300 });
	await lab.until('five attempts wait', answerLimitMs, () => traffic.totals().started >= 5);
	await lab.director.ipvsadm('-d', '-t', hostPort(vip), '-r', server.destination);
	await traffic.stop();
	await lab.sleep(settledMs);
	const { scheduled = 0, ...others } = await watch.changes();
	lab.expect(scheduled >= 5, 'the attempts were seen', scheduled);
	lab.expect(Object.keys(others).length === 0, 'what IPVS gives up is no failure', others);
}

const directScenario: Scenario = {
	name: 'attempts-direct',
	sentence: 'in DR an attempt that IPVS does not schedule, because it still knows the port, is an attempt',
	topology: direct({ servers: 1 }),
	ci: ['7'],
	async run(lab: Lab) {
		const server = lab.server('r1');
		await server.start();
		const watch = new AttemptCounts(lab, server.destination);
		await watch.opened();
		const { vip, clients } = lab.topology;
		for (const time of ['first', 'second']) {
			const ask = client(vip, `localAddress: '${clients.addresses[0]}', localPort: 40000`, `socket.write(${request})`);
			await lab.exec(clients.node, process.execPath, '-e', ask);
			await watch.expect(`the ${time} connection is an attempt`, { scheduled: 1, accepted: 1, asked: 1, answered: 1 });
		}
		// Older kernels sum up these figures every two seconds only (ip_vs_est.c).
		await lab.until('IPVS has scheduled one connection', answerLimitMs, async () => {
			const [, scheduled] = /TCP.*?:80\s+(\d+)/.exec(await lab.director.ipvsadm('-Ln', '--stats')) ?? [];
			return scheduled === '1';
		});
		await quiet(lab, server, watch);
	},
};

/** Clients that come so rarely that no two of them wait together: the third sees that two have waited in vain. */
async function quiet(lab: Lab, server: RealServer, watch: AttemptCounts): Promise<void> {
	await server.kill();
	for (const time of [1, 2, 3]) {
		lab.expect(!watch.outcomes().includes('overdue'), `no ${time - 1} refused clients are a reason to ask`);
		const traffic = lab.clients.start({ ratePerS: 1 });
		await lab.until('a client is refused', answerLimitMs, () => traffic.totals().refused > 0);
		const { started } = await traffic.stop();
		lab.expect(started === 1, 'one client came', started);
		await lab.sleep(settledMs);
	}
	const { unanswered } = await watch.changes();
	lab.expect(unanswered === 3, 'all are counted as unanswered', unanswered);
	lab.expect(watch.outcomes().includes('overdue'), 'attempts that were refused out of our sight are overdue');
}

export default [natScenario, directScenario];
