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
	readonly #routes: Routes;
	readonly #connect = new Prober();
	readonly #vip: VipProber;

	constructor(routes: Routes) {
		this.#routes = routes;
		this.#vip = new VipProber(routes);
	}

	/** Never rejects; see `Prober` and `VipProber`. */
	async probe({ endpoint, vip }: Listener, timeoutMs: number): Promise<ProbeResult> {
		if (!vip || (await this.#isOurselves(endpoint.address))) return this.#connect.probe(endpoint, timeoutMs);
		const { address, port, forwarding, tunnel } = vip;
		return this.#vip.probe({ vip: address, port, host: endpoint.address, forwarding, tunnel }, timeoutMs);
	}

	/** A director that serves too (two-box LVS) stands in its own table as a server in DR, and reaches itself by itself. */
	async #isOurselves(address: string): Promise<boolean> {
		try {
			return (await this.#routes.routeTo(address))?.kind === 'local';
		} catch {
			// Whoever asks for the way next says what is wrong with it.
			return false;
		}
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#connect.close();
		this.#vip.close();
	}
}
