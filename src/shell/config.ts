/**
 * The configuration: YAML in, one checked value out, every default filled in. An unknown key is refused, because a
 * misspelt limit that is silently ignored is worse than none. It opens nothing but the file it is given, and what the
 * numbers of `policy` mean is said in judge/policy.ts. How a refusal is worded lives in config-issue.ts.
 */
import { existsSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import type { Asking } from '../judge/asking.js';
import {
	defaultActions,
	defaultPolicy,
	type Policy,
	type RuleAction,
	type RuleName,
	ruleActions,
} from '../judge/policy.js';
import { overlay } from '../judge/terms.js';
import { parseServiceId, serviceId } from '../table/identity.js';
import type { Protocol } from '../table/model.js';
import { attachKinds, attemptSources, logLevels, modes } from './choices.js';
import { asking } from './config-asking.js';
import { describeIssues } from './config-issue.js';
import { command, oneOf, section, wholeNumber } from './config-schema.js';
import { OperatorError } from './errors.js';
import { readTextFile } from './text-file.js';

/** Read where no --config is given and the file exists. */
export const defaultConfigPath = '/etc/ipvigil/config.yaml';

/** A path travels into systemd units, shell helpers and mount tables: absolute, or it means another place in each. */
const absolutePath = z
	.string({ error: 'an absolute path' })
	.regex(/^\/[^\0\n]*$/, { error: 'an absolute path' })
	.max(4095, { error: 'an absolute path of at most 4095 octets (PATH_MAX)' });

/** IFNAMSIZ is 16 with the closing zero; `/` and blanks are refused by dev_valid_name() in net/core/dev.c. */
const interfaceName = z
	.string({ error: 'the name of an interface' })
	.regex(/^[^/\s:]{1,15}$/, { error: 'the name of an interface (1 to 15 characters, no slash, colon or blank)' });

const listenForm = '"ADDRESS:PORT" or "[IPv6 ADDRESS]:PORT", port up to 65535';

function isListenAddress(text: string): boolean {
	const port = /^(?:\[[0-9a-fA-F:.]+\]|[0-9.]+|localhost):(\d{1,5})$/.exec(text)?.[1];
	return port !== undefined && Number(port) <= 65_535;
}

const listen = z.string({ error: listenForm }).refine(isListenAddress, { error: listenForm });

/** A day bounds each time of the policy: beyond that it is a slip of the keyboard. */
const longestMs = 24 * 3_600_000;

/** What is a share, all from 0 to 1, and what is a factor; everything else is a whole number. */
function policyNumber(key: string) {
	if (key === 'outlierDeviations') {
		const error = 'a number of standard deviations from 0.1 to 100';
		return z.number({ error }).min(0.1, { error }).max(100, { error });
	}
	if (/Share|Jitter/.test(key)) {
		const error = 'a share from 0 to 1';
		return z.number({ error }).min(0, { error }).max(1, { error });
	}
	if (key === 'clientPrefixesMin') return wholeNumber('client networks', 2, evidenceMax);
	if (key === 'verifiedRefusalsMin') return wholeNumber('refusals', 2, evidenceMax);
	if (mayBeNone.has(key)) return wholeNumber('milliseconds', 0, longestMs);
	return wholeNumber(key.endsWith('Ms') ? 'milliseconds' : 'times', 1, longestMs);
}

/** More than a window remembers could not be asked for; and one is never enough. */
const evidenceMax = 64;
/** Times of which none at all is a choice. */
const mayBeNone: ReadonlySet<string> = new Set<keyof Policy>(['slowStartMs', 'graceMs']);

/** Of the director as a whole: no service has its own. */
const directorWide: ReadonlySet<string> = new Set<keyof Policy>([
	'wayGraceMs',
	'ejectionsPerMinuteMax',
	'ratioIntervalMs',
]);

const policyShape = Object.fromEntries(
	Object.entries(defaultPolicy).map(([key, value]) => [key, policyNumber(key).default(value)]),
) as { [K in keyof Policy]: z.ZodDefault<z.ZodNumber> };

const ownPolicyShape = Object.fromEntries(
	Object.keys(defaultPolicy).flatMap((key) => (directorWide.has(key) ? [] : [[key, policyNumber(key).optional()]])),
) as { [K in keyof Policy]: z.ZodOptional<z.ZodNumber> };

/** Limits that stand in a relation: the shorter one first, with the reason why it must not be the longer one. */
const policyOrder: [shorter: keyof Policy, longer: keyof Policy, reason: string][] = [
	['leaseMs', 'leaseCapMs', 'the first lease cannot be longer than the longest'],
	['leaseCapMs', 'leaseTotalMs', 'one lease cannot be longer than all its renewals together'],
	['slowStartMs', 'leaseTotalMs', 'a weight comes back under its lease'],
];

const policy = section(policyShape, 'the limits of judge/policy.ts').prefault({});
const ownPolicy = section(ownPolicyShape, 'limits of judge/policy.ts').optional();

/** Of a policy as it comes out of the whole configuration: a service may set one of the two limits, and not the other. */
function checkOrder(value: Policy, path: string[], context: z.RefinementCtx): void {
	for (const [shorter, longer, reason] of policyOrder) {
		if (value[shorter] <= value[longer]) continue;
		context.addIssue({
			code: 'custom',
			path: [...path, shorter],
			message: `at most ${longer} (${value[longer]}), because ${reason}`,
			input: value[shorter],
		});
	}
}

const action = oneOf(ruleActions);
const actionsShape = Object.fromEntries(
	Object.entries(defaultActions).map(([rule, value]) => [rule, action.default(value)]),
) as { [R in RuleName]: z.ZodDefault<typeof action> };
const ownActionsShape = Object.fromEntries(Object.keys(defaultActions).map((rule) => [rule, action.optional()])) as {
	[R in RuleName]: z.ZodOptional<typeof action>;
};
const actions = section(actionsShape, 'a rule and what follows from it').prefault({});
const ownActions = section(ownActionsShape, 'a rule and what follows from it').optional();

const portForm = 'tcp or udp and a port, as in "tcp 80"';

const servicePort = z
	.string({ error: portForm })
	.regex(/^(tcp|udp) \d{1,5}$/, { error: portForm })
	.transform((text) => {
		const [protocol, port] = text.split(' ');
		return { protocol: protocol as Protocol, port: Number(port) };
	})
	.refine(({ port }) => port >= 1 && port <= 65_535, { error: portForm });

const serviceForm = 'services, as in "tcp 10.0.0.100:80" or "fwmark 7"';

/** What holds for one service only. What is left out holds as for all others. */
const ownTerms = section(
	{
		mode: oneOf(modes).optional(),
		/** What listens behind a firewall mark or a port-0 service, which names no port itself. */
		port: servicePort.optional(),
		probe: asking.optional(),
		actions: ownActions,
		policy: ownPolicy,
	},
	'mode, port, probe, actions and policy',
);

type OwnTerms = z.output<typeof ownTerms>;

const services = z.record(z.string(), ownTerms, { error: serviceForm }).transform(canonical).default({});

/** Each service under its one spelling. Two sections for one would be a mode that somebody believes in and that is not there. */
function canonical(sections: Record<string, OwnTerms>, context: z.RefinementCtx): Record<string, OwnTerms> {
	const named = new Map<string, OwnTerms>();
	for (const [text, own] of Object.entries(sections)) {
		const service = parseServiceId(text);
		const id = service && serviceId(service);
		if (id === undefined || named.has(id)) {
			const message = id === undefined ? serviceForm : `each service once: this is ${id} again`;
			context.addIssue({ code: 'custom', path: [text], message, input: text });
		} else named.set(id, own);
	}
	return Object.fromEntries(named);
}

/** A kernel accepts for a program that hangs: only who wants an answer sees that, and sees it end. */
function checkBrownOut(action: RuleAction | undefined, asked: Asking, path: string[], context: z.RefinementCtx): void {
	if (action === undefined || action === 'observe' || asked.request !== undefined || asked.method === 'command') return;
	const message = 'observe, because only a probe with a request can tell whether it is over';
	context.addIssue({ code: 'custom', path: [...path, 'actions', 'brown-out'], message, input: action });
}

/** A file of rules is read and never written. */
function checkWritable(path: string[], context: z.RefinementCtx): void {
	const message = 'observe or notify, because the table is a file of rules';
	context.addIssue({ code: 'custom', path, message, input: 'assist' });
}

/** A port of one's own belongs to a service without one. */
function checkPort(id: string, context: z.RefinementCtx): void {
	const service = parseServiceId(id);
	if (service?.kind === 'fwmark' || service?.port === 0) return;
	const message = 'nothing, because the service itself names its port';
	context.addIssue({ code: 'custom', path: ['services', id, 'port'], message, input: 'a port' });
}

const monitors = section(
	{
		keepalived: section(
			{ trackDirectory: absolutePath.default('/run/ipvigil/keepalived') },
			'trackDirectory',
		).optional(),
		exec: section(
			{
				command,
				timeoutMs: wholeNumber('milliseconds', 1, 600_000).default(5_000),
			},
			'command and timeoutMs',
		).optional(),
	},
	'keepalived or exec',
);

const ringForm = 'a power of two from 65536 to 67108864 octets';

/** Powers of two, because a ring buffer is mapped twice (kernel/bpf/ringbuf.c). */
const ringBytes = z
	.int({ error: ringForm })
	.refine((octets) => octets >= 65_536 && octets <= 67_108_864 && isPower(octets), {
		error: ringForm,
	});

function isPower(octets: number): boolean {
	return (octets & (octets - 1)) === 0;
}

/** What the kernel reserves at start; what does not fit is told, and not watched. */
const limits = section(
	{
		destinations: wholeNumber('destinations', 1, 1_048_576).default(32_768),
		hosts: wholeNumber('hosts', 1, 1_048_576).default(16_384),
		connections: wholeNumber('connections', 1_024, 16_777_216).default(65_536),
		ringBytes: ringBytes.default(4_194_304),
	},
	'destinations, hosts, connections and ringBytes',
);

const configSchema = section(
	{
		mode: oneOf(modes).default('observe'),
		attach: oneOf(attachKinds).default('auto'),
		attempts: oneOf(attemptSources).default('auto'),
		probe: asking.prefault({ method: 'auto' }),
		actions,
		services,
		interfaces: z.array(interfaceName, { error: 'a list of interface names' }).default([]),
		runtimeDirectory: absolutePath.default('/run/ipvigil'),
		journalDirectory: absolutePath.default('/var/lib/ipvigil/journal'),
		journal: section(
			{
				/** Below 64 KiB the segments change hands all the time; above 1 GiB one is too big to look into. */
				segmentBytes: wholeNumber('octets', 65_536, 1_073_741_824).default(16_777_216),
				segments: wholeNumber('segments', 2, 1_000).default(8),
			},
			'segmentBytes and segments',
		).prefault({}),
		pinDirectory: absolutePath.default('/sys/fs/bpf/ipvigil'),
		snapshotIntervalMs: wholeNumber('milliseconds', 100, 3_600_000).default(2_000),
		limits: limits.prefault({}),
		linkIntervalMs: wholeNumber('milliseconds', 1_000, 3_600_000).default(10_000),
		metrics: z
			.union([z.literal('off'), section({ listen }, 'listen')], { error: 'off, or a section with listen' })
			.default({ listen: '127.0.0.1:9478' }),
		log: section({ level: oneOf(logLevels).default('info') }, 'level').prefault({}),
		table: section({ rules: absolutePath }, 'rules').optional(),
		monitors: monitors.prefault({}),
		policy,
	},
	'the keys of the configuration',
).superRefine((value, context) => {
	checkOrder(value.policy, ['policy'], context);
	checkBrownOut(value.actions['brown-out'], value.probe, [], context);
	for (const [id, own] of Object.entries(value.services)) {
		checkOrder(overlay(value.policy, own.policy), ['services', id, 'policy'], context);
		const answering = own.actions?.['brown-out'] ?? value.actions['brown-out'];
		checkBrownOut(answering, own.probe ?? value.probe, ['services', id], context);
		if (value.table && (own.mode ?? value.mode) === 'assist') checkWritable(['services', id, 'mode'], context);
		if (own.port) checkPort(id, context);
	}
});

export type Config = z.output<typeof configSchema>;

/** Checks a configuration. `name` is how messages call it: its path. Throws an OperatorError of kind `usage`. */
export function parseConfig(text: string, name: string): Config {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
	const [syntax] = document.errors;
	if (syntax) throw refusal([`${name}:${syntax.linePos?.[0].line ?? 1}: not YAML: ${syntax.message.split('\n')[0]}`]);
	const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
	const result = configSchema.safeParse(value, { reportInput: true });
	if (result.success) return result.data;
	throw refusal(describeIssues(result.error.issues, { name, document, lines, schema: configSchema }));
}

function refusal(sentences: string[]): OperatorError {
	return new OperatorError(
		'usage',
		sentences.join('\n'),
		'Nothing was started. Correct the configuration and try again.',
	);
}

/** Reads `path`; without one the default file where it exists, else the defaults alone (mode observe). */
export function loadConfig(path: string | undefined): Config {
	if (path === undefined && !existsSync(defaultConfigPath)) return parseConfig('', 'defaults');
	const file = path ?? defaultConfigPath;
	return parseConfig(readTextFile(file, 'configuration', 'Name a readable file with --config.'), file);
}
