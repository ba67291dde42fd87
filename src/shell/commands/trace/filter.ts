/**
 * Which events `trace` shows: filters of different kinds must all agree, of filters of one kind one is enough, and one
 * that --not stands before must not. A word that is none says what there is.
 */
import type { VantageName } from '../../../capture/recording.js';
import type { KernelEvent, UnreachableEvent } from '../../../decode/event.js';
import { hostPort, parseServiceId, type ServiceId, serviceId } from '../../../table/identity.js';
import type { ServiceAddress, Snapshot } from '../../../table/model.js';
import { contains, parseNetwork } from '../../../table/network.js';
import { OperatorError } from '../../errors.js';
import { everyTold, means, signalWords, type Told, toldBy } from './signals.js';

/** What a filter looks at; an event that says nothing of a kind matches no filter of that kind. */
interface Subject {
	told: Told;
	/** Every service that the event speaks of, or that the endpoint or host it speaks of stands behind. */
	services: ServiceId[];
	server: string | undefined;
	client: string | undefined;
}

export type FilterKind = keyof typeof readers;
type Predicate = (subject: Subject) => boolean;

interface Clause {
	kind: FilterKind;
	negated: boolean;
	/** One is enough. */
	predicates: Predicate[];
}

/** How a word of each kind is read. */
const readers = { signal: readSignal, service: readService, server: readServer, client: readClient };

function readSignal(word: string): Predicate {
	if (!signalWords.includes(word)) throw usage(`"${word}" names no signal.`, `There are ${signalWords.join(', ')}.`);
	return ({ told }) => means(word, told);
}

function readService(word: string): Predicate {
	const address = parseServiceId(word);
	if (!address)
		throw usage(`"${word}" names no service.`, "Write --service 'tcp VIP:PORT', udp or sctp alike, or 'fwmark N'.");
	const id = serviceId(address);
	return ({ services }) => services.includes(id);
}

function readServer(word: string): Predicate {
	const network = networkOf(word);
	return ({ server }) => server !== undefined && contains(network, server);
}

function readClient(word: string): Predicate {
	const network = networkOf(word);
	return ({ client }) => client !== undefined && contains(network, client);
}

function networkOf(word: string) {
	const network = parseNetwork(word);
	if (!network)
		throw usage(`"${word}" is no network.`, 'Write an address or a network, as in 10.1.0.0/16 or fd00::11.');
	return network;
}

function usage(sentence: string, remedy: string): OperatorError {
	return new OperatorError('usage', sentence, remedy);
}

/** Takes the options in the order in which they were typed, and then answers event by event. */
export class Filter {
	readonly #clauses: Clause[] = [];
	/** By host, and by endpoint without its protocol. */
	#services = new Map<string, ServiceAddress[]>();
	#negating = false;

	/** `--not`: the filter behind it is to be turned round. */
	not(): void {
		if (this.#negating) throw usage('Two --not stand side by side.', 'Put one --not before each filter to negate.');
		this.#negating = true;
	}

	/** One option: words with commas between them, of which one is enough. @throws OperatorError of kind `usage`. */
	add(kind: FilterKind, text: string): void {
		const predicates = text.split(',').map((word) => readers[kind](word.trim()));
		this.#clauses.push({ kind, negated: this.#negating, predicates });
		this.#negating = false;
	}

	/** All options were read. @throws OperatorError of kind `usage` where a --not has nothing to negate. */
	finish(): void {
		if (this.#negating) throw usage('Behind --not there is no filter.', 'Write, for example: --not --signal reset');
	}

	/** Which services stand before an endpoint or a host comes from the table: the wire tells endpoints only. */
	setTable({ services }: Snapshot): void {
		this.#services = new Map();
		for (const { address, destinations } of services)
			for (const one of destinations)
				for (const name of [one.address, hostPort(one.address, one.port)]) this.#place(name, address);
	}

	#place(name: string, address: ServiceAddress): void {
		const places = this.#services.get(name);
		if (places) places.push(address);
		else this.#services.set(name, [address]);
	}

	/**
	 * Services without a port of their own (a firewall mark's) reach every port of the server. `port` 0 is that of a quote
	 * too short to tell it: then the host is meant.
	 */
	#servicesOf({ protocol, address, port }: UnreachableEvent['endpoint']): ServiceId[] {
		const names = port === 0 ? [address] : [hostPort(address, port), hostPort(address, 0)];
		const places = names.flatMap((name) => this.#services.get(name) ?? []);
		const fitting = places.filter((one) => one.kind === 'fwmark' || !protocol || one.protocol === protocol);
		return [...new Set(fitting.map(serviceId))];
	}

	matches(event: KernelEvent): boolean {
		const subject = this.#subjectOf(event);
		return this.#passes(this.#clauses, (predicate) => predicate(subject));
	}

	/** Whether any signal of this vantage point can pass: one whose signals cannot need not be opened. */
	wants(vantage: VantageName): boolean {
		const clauses = this.#clauses.filter(({ kind }) => kind === 'signal');
		const mine = everyTold.filter((told) => told.vantage === vantage);
		const bare = { services: [], server: undefined, client: undefined };
		return mine.some((told) => this.#passes(clauses, (predicate) => predicate({ told, ...bare })));
	}

	#passes(clauses: readonly Clause[], holds: (predicate: Predicate) => boolean): boolean {
		const hit = ({ predicates }: Clause) => predicates.some(holds);
		if (clauses.some((clause) => clause.negated && hit(clause))) return false;
		const wanted = clauses.filter(({ negated }) => !negated);
		return wanted.every(({ kind }) => wanted.some((clause) => clause.kind === kind && hit(clause)));
	}

	#subjectOf(event: KernelEvent): Subject {
		const none = { told: toldBy(event), services: [], server: undefined, client: undefined };
		switch (event.kind) {
			case 'refusal':
			case 'unreachable': {
				const { endpoint, client } = event;
				return { ...none, services: this.#servicesOf(endpoint), server: endpoint.address, client };
			}
			case 'outcome': {
				const services = [serviceId(event.service)];
				return { ...none, services, server: event.destination?.address, client: event.client };
			}
			case 'learned':
			case 'write':
				return { ...none, services: [serviceId(event.service)], server: event.destination.address };
			case 'service':
				return { ...none, services: event.service ? [serviceId(event.service)] : [] };
			case 'neighbour': {
				const { address } = event;
				const services = this.#services.get(address) ?? [];
				return { ...none, services: services.map(serviceId), server: address };
			}
			case 'link':
				return none;
		}
	}
}
