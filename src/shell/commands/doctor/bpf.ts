/**
 * Whether the BPF objects load, and whether the hooks attach: it is done for real and undone at once; nothing comes onto
 * an interface and nothing is pinned. The verifier's own words are the only true answer to what a kernel allows, and
 * capture/availability.ts knows them.
 */
import { kernel } from '../../../addon/index.js';
import { programsFor } from '../../../capture/attach.js';
import { type AuditCapture, openAudit } from '../../../capture/audit.js';
import { explain, type Unavailable, unavailable } from '../../../capture/availability.js';
import { openLink } from '../../../capture/link.js';
import { type OutcomeCapture, openOutcome } from '../../../capture/outcome.js';
import { loadObject } from '../../../capture/programs.js';
import type { Config } from '../../config.js';
import { toExit } from '../../errors.js';
import { type Check, missing, ok } from './check.js';
import { attemptsCheck, auditCheck, linksCheck, type Tried, unloadingCheck } from './sources.js';

interface Circumstances {
	privileged: boolean;
	ipvsLoaded: boolean;
	attach: Config['attach'];
	attempts: Config['attempts'];
	/** The operator has asked the hooks to let go of ip_vs. */
	released: boolean;
}

export function bpfChecks(circumstances: Circumstances): Check[] {
	const { privileged, attach } = circumstances;
	const addon = addonCheck();
	if (addon.status !== 'ok') return [addon];
	if (!privileged) return [addon, missing('bpf', 'privileges', 'not tried without privileges', '')];
	return [addon, wireCheck(attach), ...hookChecks(circumstances)];
}

function addonCheck(): Check {
	try {
		return ok('addon', `built; possible CPUs: ${kernel().possibleCpus}`);
	} catch (error) {
		const { kind, sentence, remedy } = toExit(error);
		return missing('addon', kind, sentence, remedy);
	}
}

/** Loads what the configured way of attaching needs, with the layout guard that `run` has too. */
function wireCheck(attach: Config['attach']): Check {
	if (attach === 'none') return ok('wire', 'not needed: attach is none');
	const programs = programsFor(attach);
	try {
		loadObject({ object: 'wire', programs }).close();
		return ok('wire', `${programs[0]} loads: refusals and ICMP errors on the wire can be seen`);
	} catch (error) {
		const { reason, remedy } = explain('wire', error);
		return missing('wire', toExit(error).kind, reason, remedy);
	}
}

/** Opened without pins, beside what a daemon has: only attaching tells whether the compiler has left the function there. */
function hookChecks({ ipvsLoaded, attempts, released }: Circumstances): Check[] {
	const wanted = attempts === 'auto';
	return [
		attemptsCheck(wanted ? tryHooks(ipvsLoaded, () => openOutcome(sink)) : undefined),
		auditCheck(tryHooks(ipvsLoaded, () => openAudit({ pinDirectory: undefined, ...sink }))),
		linksCheck(tryLinks()),
		unloadingCheck(released),
	];
}

/** What is heard in that moment is not for us. */
const sink = { onEvents: () => {}, onError: () => {} };

function tryHooks(ipvsLoaded: boolean, open: () => AuditCapture | OutcomeCapture | Unavailable): Tried {
	if (!ipvsLoaded) return unavailable('NO_IP_VS', 'not tried, ip_vs is not loaded', 'modprobe ip_vs');
	const opened = open();
	if (!opened.available) return opened;
	opened.close();
	return { available: true, hooks: opened.hooks };
}

function tryLinks(): Tried {
	const opened = openLink(sink);
	if (!opened.available) return opened;
	// Without the module there is no bond to watch, and `run` takes it up when it comes.
	const parts = opened.parts.filter((state) => state.attached || state.code !== 'NO_BONDING');
	const hooks = parts.map((state) => ({
		hook: state.part,
		attached: state.attached,
		reason: state.attached ? '' : state.reason,
	}));
	opened.close();
	return { available: true, hooks };
}
