// Waits on the environment's own event loop until a descriptor can be read or written, with pauses. A Watch is the only
// code that touches libuv, because libuv handles and N-API environments end in a way that is easy to get wrong: a uv
// handle may be freed only in its close callback, a turn of the loop after uv_close(), and the environment (a worker
// that is terminated) must not end before that. So a Watch frees itself, and an asynchronous cleanup hook keeps the
// environment waiting for it.
#pragma once

#include <napi.h>
#include <uv.h>

#include <memory>

namespace ipvigil
{

class Watch
{
      public:
	class Owner
	{
	      public:
		/** The descriptor can be read (or written), or has an error that the next call on it will tell. */
		virtual void onReady() = 0;
		/** The environment ends: let go of the Watch and of every reference to JavaScript, now. */
		virtual void onTeardown() = 0;

	      protected:
		~Owner() = default;
	};

	struct Closer {
		void operator()(Watch *watch) const
		{
			watch->close();
		}
	};
	using Ptr = std::unique_ptr<Watch, Closer>;

	/** Starts watching at once. The loop stays alive as long as the Watch does. */
	static Ptr start(Napi::Env env, int fd, Owner *owner, uv_poll_event event = UV_READABLE);

	/** Stops looking for this long: a burst then costs one wake-up instead of hundreds. */
	void pauseFor(uint64_t pauseMs);

      private:
	Watch(Napi::Env env, Owner *owner, uv_poll_event event) : env_(env), owner_(owner), event_(event)
	{
	}
	~Watch() = default;
	void open(uv_loop_t *loop, int fd);
	void listen();
	void close();
	void closed();

	Napi::Env env_;
	Owner *owner_;
	uv_poll_event event_;
	uv_poll_t poll_{};
	uv_timer_t timer_{};
	int handlesOpen_ = 0;
	napi_async_cleanup_hook_handle hook_ = nullptr;
};

} // namespace ipvigil
