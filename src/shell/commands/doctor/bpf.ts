/**
 * Whether the BPF objects load: they are loaded for real and let go at once; nothing is attached and nothing is pinned.
 * The verifier's own words are the only true answer to what a kernel allows, and capture/availability.ts knows them.
 */
import { BpfObject, kernel, objectPath } from '../../../addon/index.js';
import { programsFor } from '../../../capture/attach.js';
import { inInitialPidNamespace, ownPidNamespace } from '../../../capture/audit.js';
import { explain } from '../../../capture/availability.js';
import { loadObject } from '../../../capture/programs.js';
import type { Config } from '../../config.js';
import { toExit } from '../../errors.js';
import { type Check, degraded, missing, ok } from './check.js';

interface Circumstances {
	privileged: boolean;
	ipvsLoaded: boolean;
	attach: Config['attach'];
}

export function bpfChecks({ privileged, ipvsLoaded, attach }: Circumstances): Check[] {
	const addon = addonCheck();
	if (addon.status !== 'ok') return [addon];
	if (!privileged) return [addon, missing('bpf', 'privileges', 'not tried without privileges', '')];
	return [addon, wireCheck(attach), auditCheck(ipvsLoaded)];
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

/** The audit hooks are fentry programs on functions of the module ip_vs: they exist only while it is loaded. */
function auditCheck(ipvsLoaded: boolean): Check {
	const consequence = 'who writes a weight is not seen';
	if (!ipvsLoaded) return degraded('audit', `not tried, ip_vs is not loaded: ${consequence}`, 'modprobe ip_vs');
	if (!inInitialPidNamespace()) {
		const { reason, remedy } = ownPidNamespace;
		return degraded('audit', `${reason}: ${consequence}`, remedy);
	}
	try {
		loadWhole('audit');
		return ok('audit', 'the hooks that see who writes a weight load; while attached they pin the module ip_vs');
	} catch (error) {
		const { reason, remedy } = explain('audit', error);
		return degraded('audit', `${reason}: ${consequence}`, remedy);
	}
}

function loadWhole(name: string): void {
	const object = BpfObject.open(objectPath(name));
	try {
		object.load();
	} finally {
		object.close();
	}
}
