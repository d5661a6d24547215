// The same for the unit tests: the test libraries are the largest part of most of them.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "pch.hpp"
