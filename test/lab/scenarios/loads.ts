/** Each BPF program loads on this kernel, by itself; what the verifier walked through is told as figures. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BpfLoadError, BpfObject, objectPath } from '../../../src/addon/index.js';
import { repository } from '../place.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** What libbpf and the kernel answer where there is no such function to hook: it is inlined here, or not yet made. */
const noSuchFunction = ['ESRCH', 'ENOENT'];

/** The kernel's limit is a million (kernel/bpf/verifier.c); a tenth of it leaves room for other compilers and kernels. */
const verifiedMax = 100_000;

/** More than half of the hooks missing is a kernel without the module's types, not one that inlines a function or two. */
const missingShareMax = 0.5;

const plain = natIpv4({ servers: 1 });

const scenario: Scenario = {
	name: 'loads',
	sentence: 'every BPF program loads, and the verifier has little to walk',
	// Hooks in a module want its types, and so the module.
	topology: { ...plain, modules: [...plain.modules, 'bonding'] },
	async run(lab: Lab) {
		const sources = await readdir(join(repository, 'bpf'));
		const objects = sources.flatMap((name) => /^(\w+)\.bpf\.c$/.exec(name)?.[1] ?? []).sort();
		lab.expect(objects.includes('wire'), 'the objects were found', objects);
		for (const object of objects) {
			const programs = programNames(object);
			const missing = programs.filter((program) => !loads(lab, object, program));
			lab.expect(missing.length <= programs.length * missingShareMax, `most hooks of ${object} are there`, missing);
		}
	},
};

function programNames(name: string): string[] {
	const object = BpfObject.open(objectPath(name));
	try {
		return object.programNames();
	} finally {
		object.close();
	}
}

/** False where the kernel has not what the program hooks; fails where the verifier refuses it. */
function loads(lab: Lab, name: string, wanted: string): boolean {
	const object = BpfObject.open(objectPath(name));
	try {
		for (const program of object.programNames()) object.setAutoload(program, program === wanted);
		object.load();
		const { translated, verified } = object.instructionCount(wanted);
		lab.fact(`${name}.${wanted}`, `${translated} instructions, ${verified} verified`);
		lab.expect(
			verified <= verifiedMax,
			`the verifier walks at most ${verifiedMax} instructions of ${wanted}`,
			verified,
		);
		return true;
	} catch (error) {
		if (!(error instanceof BpfLoadError)) throw error;
		lab.expect(noSuchFunction.includes(error.code), `${name}.${wanted} loads`, error.log.slice(-2_000));
		lab.fact(`${name}.${wanted}`, 'no such hook in this kernel');
		return false;
	} finally {
		object.close();
	}
}

export default scenario;
