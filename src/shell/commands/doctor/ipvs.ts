/**
 * What IPVS itself offers and how it is set: the module, its sysctls, and the services where weight 0 does not do what
 * one would think. Values in, lines out; doctor/facts.ts reads them.
 */
import { weightZeroHarm } from '../../../judge/guard.js';
import { serviceId } from '../../../table/identity.js';
import type { Service, Snapshot } from '../../../table/model.js';
import { type Check, degraded, ok } from './check.js';

export interface IpvsFacts {
	/** As a module or built in; not coming or going. */
	loaded: boolean;
	/** /sys/kernel/btf/ip_vs exists. */
	hasTypes: boolean;
	/** The table comes from a rules file: IPVS is not asked. */
	rulesOnly: boolean;
}

export function moduleChecks({ loaded, hasTypes, rulesOnly }: IpvsFacts): Check[] {
	if (!loaded && rulesOnly)
		return [degraded('ip_vs', 'not loaded; the table comes from a rules file', 'modprobe ip_vs')];
	if (!loaded) return [degraded('ip_vs', 'not loaded: run would wait for it', 'modprobe ip_vs')];
	const types = hasTypes
		? ok('ip_vs types', '/sys/kernel/btf/ip_vs')
		: degraded(
				'ip_vs types',
				'/sys/kernel/btf/ip_vs is not there: who writes a weight is not seen',
				'Boot a kernel with CONFIG_DEBUG_INFO_BTF_MODULES.',
			);
	return [ok('ip_vs', 'loaded'), types];
}

/** Values of net.ipv4.vs.*; undefined where a sysctl cannot be read (Documentation/networking/ipvs-sysctl.rst). */
export interface Sysctls {
	conn_reuse_mode: number | undefined;
	expire_nodest_conn: number | undefined;
	expire_quiescent_template: number | undefined;
}

/** One meaning per sysctl: what weight 0 does to the clients of a dead server, and which value would do more. */
const meanings: { name: keyof Sysctls; good: (value: number) => boolean; yes: string; no: string; remedy: string }[] = [
	{
		name: 'conn_reuse_mode',
		good: (value) => (value & 1) === 1,
		yes: 'a client that was refused and tries again from the same port is scheduled anew',
		no: 'a client that was refused and tries again from the same port meets the same server, weight 0 or not',
		remedy: 'sysctl net.ipv4.vs.conn_reuse_mode=1',
	},
	{
		name: 'expire_nodest_conn',
		good: (value) => value !== 0,
		yes: 'a repeated SYN to a server of weight 0 is scheduled anew',
		no: 'a connection under way to a dead server stays there until it times out, weight 0 or not',
		remedy: 'sysctl net.ipv4.vs.expire_nodest_conn=1',
	},
	{
		name: 'expire_quiescent_template',
		good: (value) => value !== 0,
		yes: 'weight 0 moves persistent clients too',
		no: 'weight 0 does not move persistent clients',
		remedy: 'sysctl net.ipv4.vs.expire_quiescent_template=1',
	},
];

/** `persistent`: some service is, so that the template's sysctl matters. */
export function sysctlChecks(values: Sysctls, persistent: boolean): Check[] {
	return meanings.map(({ name, good, yes, no, remedy }) => {
		const value = values[name];
		if (value === undefined) return degraded(name, 'cannot be read in this network namespace', 'modprobe ip_vs');
		if (good(value)) return ok(name, `${value}: ${yes}`);
		if (name === 'expire_quiescent_template' && !persistent) return ok(name, `${value}: no service is persistent`);
		return degraded(name, `${value}: ${no}`, remedy);
	});
}

/** What the services of the table mean for `assist`, one line per kind of trouble and not per service. */
export function tableChecks({ services }: Snapshot): Check[] {
	const destinations = services.reduce((sum, service) => sum + service.destinations.length, 0);
	const size = ok('table', `services: ${services.length}, destinations: ${destinations}`);
	return [size, ...troubles.flatMap((trouble) => troubleCheck(services, trouble))];
}

interface Trouble {
	check: string;
	applies: (service: Service) => boolean;
	reason: string;
	remedy: string;
}

const troubles: Trouble[] = [
	{
		check: 'schedulers',
		applies: (service) => weightZeroHarm({ ...service, destinations: new Set() }) !== undefined,
		reason: 'the scheduler goes on sending clients to weight 0, so assist only tells',
		remedy: 'Edit sh and mh services with the flag sh-fallback or mh-fallback; dh has none.',
	},
	{
		check: 'forwarding',
		applies: ({ destinations }) =>
			destinations.some(({ forwarding }) => forwarding === 'droute' || forwarding === 'tunnel'),
		reason:
			'direct routing or tunnel: refusals do not pass the director, and the connect probe asks the real address only',
		remedy: 'Let the service listen on the real address too, or rely on the monitor there.',
	},
	{
		check: 'endpoints',
		applies: ({ address }) => address.kind === 'fwmark' || address.port === 0,
		reason: 'a firewall mark or port 0 names no port to watch or to probe',
		remedy: '',
	},
	{
		check: 'protocols',
		applies: ({ address }) => address.kind === 'address' && address.protocol !== 'tcp',
		reason: 'only TCP refuses with a RST, and weight 0 does not move a UDP flow',
		remedy: '',
	},
];

/** As many names as fit on a line; the rest is a number. */
const namesMax = 3;

function troubleCheck(services: Service[], { check, applies, reason, remedy }: Trouble): Check[] {
	const names = services.filter(applies).map((service) => serviceId(service.address));
	if (names.length === 0) return [];
	const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : '';
	return [degraded(check, `${names.slice(0, namesMax).join(', ')}${more}: ${reason}`, remedy)];
}
