/**
 * A real server in TUN that is a program, for vip-probe.test.ts, because a kernel may have no tunnels: on eth0 it says to
 * have the address that is its argument, unpacks what comes for it, accepts each SYN by a frame of its own, and prints a
 * line for each segment.
 */
import { interfaceIndex, PacketSocket } from '../../src/addon/index.js';
import { addressOctets, be16, concat, macOctets } from '../../src/remedy/vip-octets.js';
import {
	etherType,
	type Frame,
	type Packet,
	readFrame,
	readPacket,
	readSegment,
	tcpFlag,
	writeFrame,
	writeSegment,
} from '../../src/remedy/vip-packet.js';
import { decapsulate } from '../../src/remedy/vip-tunnel.js';
import { returnAll } from '../addon/fixture.js';

const [, , own = ''] = process.argv;
const mac = '02:00:00:00:00:77';

const socket = new PacketSocket({
	interfaceIndex: interfaceIndex('eth0') ?? 0,
	filter: returnAll,
	onBatch: (frames) => {
		for (const octets of frames) hear(readFrame(octets));
	},
	onError: (error) => {
		throw error;
	},
});
process.stdin.on('end', () => socket.close()).resume();
process.stdout.write('ready\n');

function hear(frame: Frame | undefined): void {
	if (frame?.type === etherType.arp) answerQuestion(frame);
	const outer = frame?.type === etherType.ipv4 ? readPacket(frame.payload) : undefined;
	const inner = outer?.destination === own ? decapsulate(outer) : undefined;
	if (frame && outer && inner) answerSegment(frame, outer, inner);
}

/** Who has our address? Operation 1 at octet 6, the asker at 8, the address at 24 (RFC 826). */
function answerQuestion({ source, payload }: Frame): void {
	const isOurs = addressOctets(own).every((octet, at) => payload[24 + at] === octet);
	if (payload[7] !== 1 || !isOurs) return;
	const reply = [payload.subarray(0, 6), be16(2), macOctets(mac), addressOctets(own), payload.subarray(8, 18)];
	socket.send(writeFrame({ destination: source, source: mac, type: etherType.arp, payload: concat(...reply) }));
}

function answerSegment(frame: Frame, outer: Packet, { source, destination, payload }: Packet): void {
	const segment = readSegment(payload);
	if (!segment) return;
	process.stdout.write(`${outer.protocol} ${outer.source} ${source} ${destination} ${segment.flags}\n`);
	if (segment.flags !== tcpFlag.syn) return;
	const answer = writeSegment(
		{ source: destination, destination: source },
		{
			sourcePort: segment.destinationPort,
			destinationPort: segment.sourcePort,
			sequence: 1,
			acknowledgement: (segment.sequence + 1) >>> 0,
			flags: tcpFlag.syn | tcpFlag.ack,
		},
	);
	socket.send(writeFrame({ destination: frame.source, source: mac, type: etherType.ipv4, payload: answer }));
}
