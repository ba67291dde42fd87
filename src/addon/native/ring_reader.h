// Empties one ring buffer map into batches. It wakes up on the environment's own loop, takes at most one bounded batch
// per turn so that timers and sockets get theirs, and then rests: a rest of 5 ms makes a flood cost few wake-ups, and
// the first record after a quiet time is still delivered at once.
#pragma once

#include "raii.h"
#include "watch.h"

#include <napi.h>

#include <vector>

namespace ipvigil
{

class RingReader : public Napi::ObjectWrap<RingReader>, private Watch::Owner
{
      public:
	static Napi::Function define(Napi::Env env);
	explicit RingReader(const Napi::CallbackInfo &info);

      private:
	static int onRecord(void *self, void *bytes, size_t length);
	void onReady() override;
	void onTeardown() override;

	/** Moves what is there, up to one full batch, out of the ring. Says whether the batch is full. */
	bool fill(Napi::Env env);
	bool isFull() const;
	std::vector<napi_value> takeBatch(Napi::Env env);
	Napi::Value drain(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);
	void release();

	size_t recordsMax_;
	size_t bytesMax_;
	uint32_t pauseMs_;
	size_t ringBytes_ = 0;
	Napi::FunctionReference onBatch_;
	Napi::FunctionReference onError_;
	Descriptor map_;
	RingOwner ring_;
	Watch::Ptr watch_;
	std::vector<uint8_t> bytes_;
	std::vector<uint32_t> recordSizes_;
};

} // namespace ipvigil
