/**
 * Whether the BPF objects load: they are loaded for real, whole, and let go at once; nothing is attached and nothing is
 * pinned. The verifier's own words are the only true answer to what a kernel allows.
 */
import { type Exit, toExit } from '../../errors.js';
import { type Check, degraded, missing, ok } from './check.js';

interface Circumstances {
	privileged: boolean;
	ipvsLoaded: boolean;
	/** As configured: with `none` the wire is not watched, and its program not needed. */
	attach: string;
}

export async function bpfChecks(circumstances: Circumstances): Promise<Check[]> {
	const addon = await addonCheck();
	if (addon.status !== 'ok') return [addon];
	if (!circumstances.privileged) return [addon, missing('bpf', 'privileges', 'not tried without privileges', '')];
	return [addon, await wireCheck(circumstances.attach), await auditCheck(circumstances.ipvsLoaded)];
}

async function addonCheck(): Promise<Check> {
	try {
		const { kernel } = await import('../../../addon/index.js');
		return ok('addon', `built; the kernel may have ${kernel().possibleCpus} CPUs`);
	} catch (error) {
		const { kind, sentence, remedy } = toExit(error);
		return missing('addon', kind, sentence, remedy);
	}
}

async function wireCheck(attach: string): Promise<Check> {
	const refusal = await tryToLoad('wire');
	if (refusal === undefined) return ok('wire', 'the programs that see refusals load');
	if (attach === 'none') return degraded('wire', `${refusal.sentence} (not needed: attach is none)`, refusal.remedy);
	return missing('wire', refusal.kind, refusal.sentence, refusal.remedy);
}

/** The audit hooks are fentry programs in the module ip_vs: they exist only while it is loaded. */
async function auditCheck(ipvsLoaded: boolean): Promise<Check> {
	const consequence = 'who writes a weight is not seen';
	if (!ipvsLoaded) return degraded('audit', `not tried: ip_vs is not loaded; ${consequence}`, 'modprobe ip_vs');
	const refusal = await tryToLoad('audit');
	if (refusal === undefined) return ok('audit', 'the hooks that see who writes a weight load');
	return degraded(
		'audit',
		`${refusal.sentence}; ${consequence}`,
		'Boot a kernel that allows fentry programs in modules.',
	);
}

async function tryToLoad(name: string): Promise<Exit | undefined> {
	const { BpfObject, objectPath } = await import('../../../addon/index.js');
	try {
		const object = BpfObject.open(objectPath(name));
		try {
			object.load();
			return undefined;
		} finally {
			object.close();
		}
	} catch (error) {
		return toExit(error);
	}
}
