/**
 * The options of ipvsadm(8) that a rules file may use, and the cutting of one line into them. What the values
 * mean is not known here; `rules-parse.ts` knows. PURE.
 */

/** `popt` accepts `-w 4`, `-w4`, `--weight 4`, `--weight=4` and bundles such as `-at`; so does this. */
export type OptionName =
	| 'add-service'
	| 'add-server'
	| 'tcp-service'
	| 'udp-service'
	| 'sctp-service'
	| 'fwmark-service'
	| 'ipv6'
	| 'scheduler'
	| 'persistent'
	| 'netmask'
	| 'pe'
	| 'ops'
	| 'sched-flags'
	| 'real-server'
	| 'gatewaying'
	| 'ipip'
	| 'masquerading'
	| 'weight'
	| 'u-threshold'
	| 'l-threshold'
	| 'tun-type'
	| 'tun-port'
	| 'tun-nocsum'
	| 'tun-csum'
	| 'tun-remcsum';

/** Of one line: what was given, each option at most once. An option without a value has the empty string. */
export type Options = Map<OptionName, string>;

/** What stands in the line and what should stand there instead. */
export class Wrong {
	constructor(
		readonly found: string,
		readonly expected: string,
	) {}
}

interface Option {
	letter?: string;
	value: 'none' | 'required' | 'optional';
}

const options: Record<OptionName, Option> = {
	'add-service': { letter: 'A', value: 'none' },
	'add-server': { letter: 'a', value: 'none' },
	'tcp-service': { letter: 't', value: 'required' },
	'udp-service': { letter: 'u', value: 'required' },
	'sctp-service': { value: 'required' },
	'fwmark-service': { letter: 'f', value: 'required' },
	ipv6: { letter: '6', value: 'none' },
	scheduler: { letter: 's', value: 'required' },
	persistent: { letter: 'p', value: 'optional' },
	netmask: { letter: 'M', value: 'required' },
	pe: { value: 'required' },
	ops: { letter: 'o', value: 'none' },
	'sched-flags': { letter: 'b', value: 'required' },
	'real-server': { letter: 'r', value: 'required' },
	gatewaying: { letter: 'g', value: 'none' },
	ipip: { letter: 'i', value: 'none' },
	masquerading: { letter: 'm', value: 'none' },
	weight: { letter: 'w', value: 'required' },
	'u-threshold': { letter: 'x', value: 'required' },
	'l-threshold': { letter: 'y', value: 'required' },
	'tun-type': { value: 'required' },
	'tun-port': { value: 'required' },
	'tun-nocsum': { value: 'none' },
	'tun-csum': { value: 'none' },
	'tun-remcsum': { value: 'none' },
};

const names = Object.keys(options) as OptionName[];
const byName = new Map<string, OptionName>(names.map((name) => [name, name]));
const byLetter = new Map(names.map((name) => [options[name].letter, name]));

/** Longer than any line that ipvsadm can write; a file of another kind is refused at once. */
export const lineLengthMax = 1024;

/** Cuts one line, with or without a leading "ipvsadm", into its options. */
export function readOptions(line: string): Options | Wrong {
	if (line.length > lineLengthMax) return new Wrong(`a line of ${line.length} characters`, 'an ipvsadm rule');
	const words = line.split(/\s+/).filter((word) => word !== '');
	if (words[0] === 'ipvsadm') words.shift();
	const given: Options = new Map();
	while (words.length > 0) {
		const wrong = takeWord(words.shift() ?? '', words, given);
		if (wrong) return wrong;
	}
	return given;
}

function takeWord(word: string, following: string[], given: Options): Wrong | undefined {
	const long = /^--([a-z0-9-]+)(?:=(.*))?$/.exec(word);
	if (long) {
		const name = byName.get(long[1] ?? '');
		if (!name) return new Wrong(`--${long[1]}`, 'an option of ipvsadm -A or -a');
		return takeOption(name, long[2], following, given);
	}
	if (/^-[A-Za-z0-9]/.test(word)) return takeBundle(word, following, given);
	return new Wrong(`"${word}"`, 'an option, which begins with "-"');
}

/** The letters of one word; the first that takes a value takes the rest of the word, if there is a rest. */
function takeBundle(word: string, following: string[], given: Options): Wrong | undefined {
	for (let index = 1; index < word.length; index++) {
		const name = byLetter.get(word[index]);
		if (!name) return new Wrong(`-${word[index]}`, 'an option of ipvsadm -A or -a');
		const rest = word.slice(index + 1).replace(/^=/, '');
		const takesRest = options[name].value !== 'none' && rest !== '';
		const wrong = takeOption(name, takesRest ? rest : undefined, following, given);
		if (wrong || takesRest) return wrong;
	}
	return undefined;
}

function takeOption(
	name: OptionName,
	inline: string | undefined,
	following: string[],
	given: Options,
): Wrong | undefined {
	if (given.has(name)) return new Wrong(`--${name} twice`, 'each option once');
	const { value } = options[name];
	if (value === 'none') {
		if (inline !== undefined) return new Wrong(`--${name}=${inline}`, `--${name} without a value`);
		given.set(name, '');
		return undefined;
	}
	const next = following[0];
	const nextIsValue = next !== undefined && !next.startsWith('-');
	const text = inline ?? (nextIsValue ? following.shift() : undefined);
	if (text === undefined && value === 'required') return new Wrong(`--${name} at the end`, `a value after --${name}`);
	given.set(name, text ?? '');
	return undefined;
}
