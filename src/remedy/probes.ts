/**
 * Asks a listener where it listens: on the VIP in DR and TUN, else on the real server's own address. Which of the two it
 * is, the judge has decided; what an answer proves is its business, too.
 */
import type { Listener } from '../table/model.js';
import { Prober } from './probe.js';
import type { ProbeResult } from './probe-queue.js';
import { VipProber } from './vip-probe.js';
import type { Routes } from './vip-way.js';

export class Probes {
	readonly #connect = new Prober();
	readonly #vip: VipProber;

	constructor(routes: Routes) {
		this.#vip = new VipProber(routes);
	}

	/** Never rejects; see `Prober` and `VipProber`. */
	probe({ endpoint, vip }: Listener, timeoutMs: number): Promise<ProbeResult> {
		if (!vip) return this.#connect.probe(endpoint, timeoutMs);
		const { address, port, forwarding, tunnel } = vip;
		return this.#vip.probe({ vip: address, port, host: endpoint.address, forwarding, tunnel }, timeoutMs);
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#connect.close();
		this.#vip.close();
	}
}
