/** The frames that a question sends, by driving it through its events. */
import { VipQuestion } from '../../src/remedy/vip-question.js';
import { type Sample, serverMac } from './vip-samples.js';

export const secret = { port: 61_234, sequence: 0xfedcba98 };

/** The first SYN, and the RST after it. */
export function sentBy({ target, way }: Sample): { syn: Uint8Array; rst: Uint8Array } {
	const sent: Uint8Array[] = [];
	const question = new VipQuestion(target, {}, way, secret, (frame) => sent.push(frame));
	question.hear({ kind: 'neighbour', address: way.nextHop, mac: serverMac });
	question.reset();
	const [syn = new Uint8Array(), rst = new Uint8Array()] = sent;
	return { syn, rst };
}
