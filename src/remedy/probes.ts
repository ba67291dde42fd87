/**
 * Asks a listener in the way that its service is to be asked: on the VIP in DR and TUN, else by a connection to the real
 * server's own address, or a stand-in's; by a datagram; by a program. What is asked, the judge has decided; what an answer
 * proves is its business, too.
 */
import type { Asking } from '../judge/asking.js';
import { familyOf } from '../table/address.js';
import type { Endpoint, Listener, Protocol } from '../table/model.js';
import { CommandProber } from './command-probe.js';
import { PlaceTurns } from './place-turns.js';
import { Prober } from './probe.js';
import { type ProbeResult, probeError } from './probe-queue.js';
import { UdpProber } from './udp-probe.js';
import { VipProber } from './vip-probe.js';
import type { Routes } from './vip-way.js';

export class Probes {
	readonly #routes: Routes;
	/** One place is asked at a bounded rate, in whichever ways it is asked. */
	readonly #turns = new PlaceTurns();
	readonly #connect = new Prober({ turns: this.#turns });
	readonly #udp = new UdpProber({ turns: this.#turns });
	readonly #command = new CommandProber({ turns: this.#turns });
	readonly #vip: VipProber;

	constructor(routes: Routes) {
		this.#routes = routes;
		this.#vip = new VipProber(routes, { turns: this.#turns });
	}

	/** Never rejects; see the probers. */
	async probe(listener: Listener, asking: Asking, timeoutMs: number): Promise<ProbeResult> {
		const { endpoint } = listener;
		switch (asking.method) {
			case 'auto':
				return this.#probeAuto(listener, asking, timeoutMs);
			case 'connect':
				return this.#connect.probe(whom(endpoint, asking, 'tcp'), asking, timeoutMs);
			case 'udp':
				return this.#udp.probe(whom(endpoint, asking, 'udp'), asking, timeoutMs);
			case 'command':
				if (!asking.command) return probeError('no command is known');
				return this.#command.probe(listener, asking.command, timeoutMs);
		}
	}

	async #probeAuto({ endpoint, vip }: Listener, asking: Asking, timeoutMs: number): Promise<ProbeResult> {
		if (!vip || !isForFrames(asking) || (await this.#isOurselves(endpoint.address)))
			return this.#connect.probe(whom(endpoint, asking, endpoint.protocol), asking, timeoutMs);
		const { address, port, forwarding, tunnel } = vip;
		return this.#vip.probe({ vip: address, port, host: endpoint.address, forwarding, tunnel }, asking, timeoutMs);
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
		this.#udp.close();
		this.#command.close();
		this.#vip.close();
	}
}

/** The VIP probe asks the server itself, by the kernel's own way to it: a stand-in or another origin takes a socket. */
function isForFrames({ address, port, sourceAddress, mark }: Asking): boolean {
	return [address, port, sourceAddress, mark].every((one) => one === undefined);
}

/** The server itself, or who stands in for it. */
function whom(
	endpoint: Endpoint,
	{ address = endpoint.address, port = endpoint.port }: Asking,
	protocol: Protocol,
): Endpoint {
	return { protocol, family: familyOf(address), address, port };
}
