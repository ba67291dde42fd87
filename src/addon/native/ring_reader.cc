#include "ring_reader.h"

#include "bpf_map.h"
#include "bytes.h"
#include "error.h"

#include <cerrno>

namespace ipvigil
{

namespace
{

/** No error of a ring is known to pass; should one stay, it is reported once per second and not in a busy loop. */
constexpr uint64_t errorPauseMs = 1000;

} // namespace

Napi::Function RingReader::define(Napi::Env env)
{
	return DefineClass(env, "RingReader",
			   {InstanceMethod<&RingReader::drain>("drain"), InstanceMethod<&RingReader::close>("close")});
}

/** (map, most records per batch, most bytes per batch, pause in ms, onBatch, onError) */
RingReader::RingReader(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<RingReader>(info), recordsMax_(info[1].As<Napi::Number>().Uint32Value()),
      bytesMax_(info[2].As<Napi::Number>().Uint32Value()), pauseMs_(info[3].As<Napi::Number>()),
      onBatch_(Napi::Persistent(info[4].As<Napi::Function>())), onError_(Napi::Persistent(info[5].As<Napi::Function>()))
{
	const Napi::Env env = info.Env();
	const BpfMap *map = BpfMap::Unwrap(info[0].As<Napi::Object>());
	map_ = Descriptor::duplicate(map->fd(env));
	ringBytes_ = map->maxEntries();
	ring_.reset(ring_buffer__new(map_.get(), onRecord, this, nullptr));
	if (!ring_)
		throw systemError(env, errno, "ring_buffer__new");
	watch_ = Watch::start(env, ring_buffer__epoll_fd(ring_.get()), this);
	// Only close() lets go again: a reader that nobody refers to still has to deliver.
	Ref();
}

bool RingReader::isFull() const
{
	return recordSizes_.size() >= recordsMax_ || bytes_.size() >= bytesMax_;
}

/** A negative answer stops libbpf after this record, which counts as consumed; the next ones stay in the ring. */
int RingReader::onRecord(void *self, void *bytes, size_t length)
{
	RingReader *reader = static_cast<RingReader *>(self);
	const uint8_t *first = static_cast<const uint8_t *>(bytes);
	reader->bytes_.insert(reader->bytes_.end(), first, first + length);
	reader->recordSizes_.push_back(static_cast<uint32_t>(length));
	return reader->isFull() ? -ECANCELED : 0;
}

bool RingReader::fill(Napi::Env env)
{
	const int status = ring_buffer__consume(ring_.get());
	if (status < 0 && status != -ECANCELED)
		throw systemError(env, -status, "ring_buffer__consume");
	return isFull();
}

std::vector<napi_value> RingReader::takeBatch(Napi::Env env)
{
	std::vector<napi_value> batch = {copyBytes(env, bytes_), copyWords(env, recordSizes_)};
	bytes_.clear();
	recordSizes_.clear();
	return batch;
}

/** A full batch means that more is waiting: no rest then, but the rest of the loop comes first. */
void RingReader::onReady()
{
	const Napi::Env env = Env();
	Napi::HandleScope scope(env);
	// The handle keeps us alive while the callback runs, which may close us.
	const Napi::Object self = Value();
	try {
		const bool full = fill(env);
		if (!full && pauseMs_ > 0)
			watch_->pauseFor(pauseMs_);
		if (recordSizes_.empty())
			return;
		const std::vector<napi_value> batch = takeBatch(env);
		callBack(self, onBatch_, {batch[0], batch[1]});
	} catch (const Napi::Error &failure) {
		watch_->pauseFor(errorPauseMs);
		callBack(self, onError_, {failure.Value()});
	}
}

/**
 * Delivers what is in the ring now, and says how many records that was. It ends after as many bytes as the ring can
 * hold: a producer that never rests must not keep us here.
 */
Napi::Value RingReader::drain(const Napi::CallbackInfo &info)
{
	const Napi::Env env = info.Env();
	if (!ring_)
		throw closedError(env, "ring");
	size_t records = 0;
	bool full = true;
	for (size_t bytes = 0; ring_ && full && bytes < ringBytes_;) {
		full = fill(env);
		records += recordSizes_.size();
		bytes += bytes_.size() + recordSizes_.size() * BPF_RINGBUF_HDR_SZ;
		if (!recordSizes_.empty())
			onBatch_.Call(info.This(), takeBatch(env));
	}
	return Napi::Number::New(env, static_cast<double>(records));
}

void RingReader::close(const Napi::CallbackInfo &)
{
	release();
}

void RingReader::onTeardown()
{
	release();
}

void RingReader::release()
{
	if (!watch_)
		return;
	watch_.reset();
	ring_.reset();
	map_.close();
	onBatch_.Reset();
	onError_.Reset();
	Unref();
}

} // namespace ipvigil
