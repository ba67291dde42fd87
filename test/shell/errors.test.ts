/** What a failure comes to: the exit code, the sentence, the remedy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotWatch, describeExit, exits, exitTable, OperatorError, toExit } from '../../src/shell/errors.js';

function failure(message: string, properties: Record<string, unknown>): Error {
	return Object.assign(new Error(message), properties);
}

test('no two kinds of failure share an exit code', () => {
	const codes = Object.values(exits).map(({ code }) => code);
	assert.equal(new Set(codes).size, codes.length);
	assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('the table of help names every code', () => {
	for (const { code, meaning } of Object.values(exits)) assert.ok(exitTable().includes(`  ${code}  ${meaning}`));
});

test('each error of a lower layer has its exit', () => {
	const cases: [Error, boolean, string][] = [
		[failure('no ipvs', { code: 'IPVS_MISSING' }), true, 'no-ipvs'],
		[failure('denied', { code: 'IPVS_DENIED' }), false, 'privileges'],
		[failure('not built', { code: 'ADDON_MISSING' }), true, 'not-built'],
		[failure('not permitted', { code: 'EPERM' }), false, 'privileges'],
		[failure('not permitted', { code: 'EPERM', syscall: 'bpf_object__load' }), false, 'privileges'],
		[failure('not permitted', { code: 'EPERM', syscall: 'bpf_object__load' }), true, 'no-bpf'],
		[failure('refused', { code: 'EINVAL', syscall: 'bpf_object__load' }), true, 'no-bpf'],
		[failure('no file', { code: 'ENOENT', syscall: 'bpf_object__open' }), true, 'not-built'],
		[failure('taken', { code: 'EBUSY', syscall: 'bpf_link_create' }), true, 'busy'],
		[failure('port in use', { code: 'EADDRINUSE' }), true, 'busy'],
		[failure('other', {}), true, 'failure'],
		[new OperatorError('not-found', 'no such service'), true, 'not-found'],
	];
	for (const [error, isRoot, kind] of cases) assert.equal(toExit(error, isRoot).kind, kind, error.message);
});

test('what was thrown without being an error is still told', () => {
	assert.deepEqual(toExit('oops'), { kind: 'failure', code: 1, sentence: 'oops', remedy: '' });
});

test("an error's own remedy counts more than the usual one, and none is said twice", () => {
	assert.equal(describeExit(toExit(new OperatorError('usage', 'Bad.', 'Do it well.'))), 'ipvigil: Bad.\nDo it well.\n');
	assert.equal(
		describeExit(toExit(failure('No IPVS.', { code: 'IPVS_MISSING' }))),
		'ipvigil: No IPVS.\nmodprobe ip_vs\n',
	);
	assert.equal(
		describeExit(toExit(new OperatorError('usage', 'Do it well.', 'Do it well.'))),
		'ipvigil: Do it well.\n',
	);
});

test('a wire that is not to be had ends run with the code of what is missing', () => {
	const say = { reason: 'the kernel does not permit it', remedy: 'run as root' };
	const kindFor = (code: string, isRoot: boolean) => cannotWatch({ code, ...say }, 'wire', isRoot).kind;
	assert.equal(kindFor('EPERM', false), 'privileges');
	assert.equal(kindFor('EPERM', true), 'no-bpf');
	assert.equal(kindFor('ENOSYS', false), 'no-bpf');
	assert.equal(kindFor('ADDON_MISSING', true), 'not-built');
	assert.equal(kindFor('ENOENT', true), 'not-built');
	assert.match(
		cannotWatch({ code: 'EPERM', ...say }).message,
		/^The vantage point wire cannot be opened: the kernel does not/,
	);
});
