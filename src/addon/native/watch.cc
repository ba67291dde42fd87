#include "watch.h"

#include "error.h"

namespace ipvigil
{

namespace
{

template <typename Handle> uv_handle_t *asHandle(Handle *handle)
{
	return reinterpret_cast<uv_handle_t *>(handle);
}

} // namespace

Watch::Ptr Watch::start(Napi::Env env, int fd, Owner *owner, uv_poll_event event)
{
	uv_loop_t *loop = nullptr;
	napi_get_uv_event_loop(env, &loop);
	std::unique_ptr<Watch, void (*)(Watch *)> watch(new Watch(env, owner, event),
							[](Watch *unopened) { delete unopened; });
	watch->open(loop, fd);
	return Ptr(watch.release());
}

/** Throws before there is any handle to close: uv_poll_init() is the only step that can fail. */
void Watch::open(uv_loop_t *loop, int fd)
{
	const int status = uv_poll_init(loop, &poll_, fd);
	if (status < 0)
		throw systemError(env_, -status, "uv_poll_init");
	uv_timer_init(loop, &timer_);
	poll_.data = timer_.data = this;
	handlesOpen_ = 2;
	napi_add_async_cleanup_hook(
	    env_,
	    [](napi_async_cleanup_hook_handle, void *self) {
		    Owner *owner = static_cast<Watch *>(self)->owner_;
		    if (owner)
			    owner->onTeardown();
	    },
	    this, &hook_);
	listen();
}

/**
 * libuv takes POLLERR for the end of a descriptor, stops and says EBADF (uv__poll_io() in unix/poll.c). Here it only
 * means that a netlink socket has lost messages: the next read says so, and then it goes on.
 */
void Watch::listen()
{
	uv_poll_start(&poll_, event_, [](uv_poll_t *poll, int status, int) {
		Watch *watch = static_cast<Watch *>(poll->data);
		if (status < 0)
			watch->listen();
		watch->owner_->onReady();
	});
}

void Watch::pauseFor(uint64_t pauseMs)
{
	uv_poll_stop(&poll_);
	uv_timer_start(
	    &timer_, [](uv_timer_t *timer) { static_cast<Watch *>(timer->data)->listen(); }, pauseMs, 0);
}

void Watch::close()
{
	owner_ = nullptr;
	uv_close(asHandle(&poll_), [](uv_handle_t *handle) { static_cast<Watch *>(handle->data)->closed(); });
	uv_close(asHandle(&timer_), [](uv_handle_t *handle) { static_cast<Watch *>(handle->data)->closed(); });
}

/** The last handle is gone: only now may the memory go, and the environment end. */
void Watch::closed()
{
	if (--handlesOpen_ > 0)
		return;
	napi_remove_async_cleanup_hook(hook_);
	delete this;
}

} // namespace ipvigil
