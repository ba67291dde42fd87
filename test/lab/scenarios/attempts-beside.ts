/** Connections beside the service's own: they belong to it, and are no attempts of its clients. */
import { AttemptCounts, answerLimitMs, client, request } from '../attempt-counts.js';
import { exec } from '../process.js';
import type { Lab, Scenario } from '../scenario.js';
import { direct, hostPort, nat, natFwmark } from '../topologies.js';

/** A server that knows PASV only, and sends "data" on the connection that it then offers (RFC 959). */
const ftpServer = (address: string, port: number) => `
	const net = require('net');
	net.createServer((control) => control.on('error', () => {}).once('data', () => {
		const data = net.createServer((socket) => socket.end('data')).listen(0, '${address}', () => {
			const { port } = data.address();
			const numbers = ['${address}'.replaceAll('.', ','), port >> 8, port & 255].join();
			control.write('227 Entering Passive Mode (' + numbers + ').\\r\\n');
		});
	})).listen(${port}, '${address}', () => console.log('listening'));`;

/** Goes where the answer to PASV sends it; IPVS has put the VIP into that. */
const ftpClient = (address: string, port: number) => `
	const net = require('net');
	const control = net.connect(${port}, '${address}', () => control.write('PASV\\r\\n'));
	control.once('data', (answer) => {
		const [a, b, c, d, high, low] = /[(](.*)[)]/.exec(answer)[1].split(',');
		net.connect(high * 256 + Number(low), [a, b, c, d].join('.'), function () {
			this.once('data', (data) => { console.log([a, b, c, d].join('.') + ' sent ' + data); process.exit(); });
		});
	});`;

/** Connections are tracked where a rule asks for it, and IPVS changes an answer's text only where they are. */
const trackConnections =
	'add table ip lab; add chain ip lab tracking { type filter hook input priority 0; }; ' +
	'add rule ip lab tracking ct state established counter';

const ftp: Scenario = {
	name: 'attempts-ftp',
	sentence: 'the data connection of FTP is no attempt of its own',
	topology: nat({ servers: 1 }),
	ci: ['7'],
	async run(lab: Lab) {
		const { director, clients, vip } = lab.topology;
		const server = lab.server('r1');
		const [address = '', port = ''] = server.destination.split(':');
		await exec(undefined, 'modprobe', 'ip_vs_ftp', `ports=${vip.port}`);
		await lab.exec(director, 'sysctl', '-q', '-w', 'net.ipv4.vs.conntrack=1');
		await lab.exec(director, 'nft', trackConnections);
		const listening = lab.background('r1', process.execPath, ['-e', ftpServer(address, Number(port))]);
		await lab.until('the FTP server listens', answerLimitMs, () => listening.lines.includes('listening'));
		const counts = new AttemptCounts(lab, server.destination);
		await counts.opened();
		const asked = await lab.exec(clients.node, process.execPath, '-e', ftpClient(vip.address, vip.port));
		lab.expect(asked.trim() === `${vip.address} sent data`, 'the data came through the VIP', asked);
		await counts.expect('the control connection alone is counted', {
			scheduled: 1,
			accepted: 1,
			asked: 1,
			answered: 1,
		});
	},
};

/** In DR IPVS knows nothing of FTP: persistence keeps control and data with one server. */
const ftpDirect: Scenario = {
	name: 'attempts-ftp-direct',
	sentence: 'in DR the data connections of a persistent FTP service are no attempts at its port',
	topology: direct({ servers: 1 }),
	ci: ['7'],
	async run(lab: Lab) {
		const { clients, vip } = lab.topology;
		const server = lab.server('r1');
		const [address = ''] = server.destination.split(':');
		await lab.director.ipvsadm('-A', '-t', `${vip.address}:21`, '-s', 'wrr', '-p', '60');
		await lab.director.ipvsadm('-a', '-t', `${vip.address}:21`, '-r', `${address}:21`, '-g');
		const serve = `for (const port of [21, 40123])
			require('net').createServer((socket) => socket.on('error', () => {}).end('data')).listen(port);
			console.log('listening');`;
		const listening = lab.background('r1', process.execPath, ['-e', serve]);
		await lab.until('the FTP server listens', answerLimitMs, () => listening.lines.includes('listening'));
		const counts = new AttemptCounts(lab, `${address}:21`, `tcp ${vip.address}:21`);
		await counts.opened();
		const from = `localAddress: '${clients.addresses[0]}'`;
		for (const port of [21, 40123])
			await lab.exec(clients.node, process.execPath, '-e', client({ address: vip.address, port }, from, ''));
		await counts.expect('the control connection alone is counted', { scheduled: 1, accepted: 1, answered: 1 });
	},
};

const onePacket: Scenario = {
	name: 'attempts-one-packet',
	sentence: 'a service that schedules each datagram anew has flows and no failures',
	topology: nat({ servers: 1, protocol: 'udp' }),
	ci: ['7'],
	async run(lab: Lab) {
		const { vip } = lab.topology;
		const server = lab.server('r1');
		await server.start();
		await lab.director.ipvsadm('-E', '-u', hostPort(vip), '-s', 'wrr', '--ops');
		const counts = new AttemptCounts(lab, server.destination, `udp ${hostPort(vip)}`);
		await counts.opened();
		const traffic = lab.clients.start({ ratePerS: 10 });
		// In NAT nothing leads the answers back: IPVS has forgotten the flow by then.
		await lab.until('five datagrams are sent', answerLimitMs, () => traffic.totals().started >= 5);
		const { started } = await traffic.stop();
		await counts.expect('each datagram is a flow, and that is all', { scheduled: started });
		lab.expect(counts.outcomes().length === 0, 'nothing is told of them', counts.outcomes());
	},
};

const persistentMark: Scenario = {
	name: 'attempts-persistent-fwmark',
	sentence: 'the destinations of a persistent firewall mark are asked on the client’s port, whatever theirs is',
	topology: natFwmark({ servers: 1 }),
	ci: ['7'],
	async run(lab: Lab) {
		const { clients, vip } = lab.topology;
		const server = lab.server('r1');
		await server.start();
		const [address] = server.destination.split(':');
		const destination = `${address}:9999`;
		await lab.director.ipvsadm('-E', '-f', '7', '-s', 'wrr', '-p', '60');
		await lab.director.ipvsadm('-d', '-f', '7', '-r', server.destination);
		await lab.director.ipvsadm('-a', '-f', '7', '-r', destination, '-m');
		const counts = new AttemptCounts(lab, destination, 'fwmark 7');
		await counts.opened();
		await lab.exec(clients.node, process.execPath, '-e', client(vip, '', `socket.write(${request})`));
		await counts.expect('it is an attempt', { scheduled: 1, accepted: 1, asked: 1, answered: 1 });
		lab.expect(counts.learned().join() === `tcp ${address}:${vip.port}`, 'its port is learned', counts.learned());
	},
};

export default [ftp, ftpDirect, onePacket, persistentMark];
