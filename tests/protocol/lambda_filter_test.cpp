// FilterCriteria: which patterns are taken, and what each of them lets through.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "penstock/errors.hpp"
#include "protocol/lambda/filters.hpp"

namespace penstock::protocol::testing {
namespace {

using lambda::Filters;

std::string_view no_record() {
  ADD_FAILURE() << "the record was asked for, and the pattern looks at the content only";
  return "{}";
}

Filters compiled(const std::vector<std::string>& patterns) {
  auto filters = Filters::compile(patterns);
  if (const Error* error = std::get_if<Error>(&filters)) {
    ADD_FAILURE() << patterns.front() << ": " << error->message;
    return {};
  }
  return std::get<Filters>(std::move(filters));
}

bool body_passes(const std::string& pattern, std::string_view body) {
  return compiled({pattern}).match_message(body, no_record);
}

/// What stands at "a" in a body, held against what stands there in a pattern.
struct ValueCase {
  std::string_view tests;  ///< the pattern's array
  std::string_view value;  ///< the body's JSON; empty: there is no "a"
  bool passes;
};

class FilterValue : public ::testing::TestWithParam<ValueCase> {};

TEST_P(FilterValue, PassesOrNot) {
  const auto& [tests, value, passes] = GetParam();
  const std::string pattern = R"({"body":{"a":)" + std::string(tests) + "}}";
  const std::string body = value.empty() ? R"({"other":1})" : R"({"a":)" + std::string(value) + "}";
  EXPECT_EQ(body_passes(pattern, body), passes) << pattern << " of " << body;
}

constexpr ValueCase exact_values[]{
    {R"(["x"])", R"("x")", true},
    {R"(["x"])", R"("X")", false},
    {R"(["x"])", R"("xy")", false},
    {R"(["x","y"])", R"("y")", true},
    {R"(["x","y"])", R"("z")", false},
    {R"([""])", R"("")", true},
    {R"([""])", R"(" ")", false},
    {R"([""])", "null", false},
    {R"([null])", "null", true},
    {R"([null])", R"("null")", false},
    {R"([null])", "", false},
    {R"([null])", "0", false},
    {R"([true])", "true", true},
    {R"([true])", "false", false},
    {R"([true])", R"("true")", false},
    {R"([false])", "false", true},
    {R"([false])", "null", false},
    {R"([1])", "1", true},
    {R"([1])", "1.0", true},
    {R"([1])", "1e0", true},
    {R"([300])", "3.0e2", true},
    {R"([1])", R"("1")", false},
    {R"(["1"])", "1", false},
    {R"([1])", "2", false},
    {R"([0])", "-0", true},
    {R"([0])", "-0.0", true},
    {R"([-1.5])", "-1.5", true},
    {R"([0.1])", "0.10", true},
    {R"([9007199254740993])", "9007199254740993", true},
    {R"([9007199254740993])", "9007199254740992", false},
    {R"([18446744073709551615])", "18446744073709551615", true},
    {R"([18446744073709551615])", "18446744073709551614", false},
    {R"(["x",1,null,true])", "1", true},
    {R"(["x",1,null,true])", "null", true},
    {R"(["x",1,null,true])", "false", false},
    {R"(["é"])", R"("\u00e9")", true},
    {R"(["\u00e9"])", R"("é")", true},
    {R"(["a\"b"])", R"("a\"b")", true},
    {R"(["x"])", R"({"x":1})", false},
    {R"(["x"])", "", false},
};
INSTANTIATE_TEST_SUITE_P(Exact, FilterValue, ::testing::ValuesIn(exact_values));

constexpr ValueCase arrays[]{
    {R"(["x"])", R"(["x"])", true},
    {R"(["x"])", R"(["y","x"])", true},
    {R"(["x","z"])", R"(["y","z"])", true},
    {R"(["x"])", R"(["y"])", false},
    {R"(["x"])", "[]", false},
    {R"(["x"])", R"([["y"],["x"]])", true},
    {R"([1])", "[0,1,2]", true},
    {R"([{"anything-but":"x"}])", R"(["x"])", false},
    {R"([{"anything-but":"x"}])", R"(["x","y"])", true},
    {R"([{"numeric":[">",5]}])", "[1,9]", true},
    {R"([{"numeric":[">",5]}])", "[1,2]", false},
    {R"([{"prefix":"x"}])", R"([null,1,"xy"])", true},
    {R"([{"exists":true}])", "[]", false},
    {R"([{"exists":false}])", "[]", true},
    {R"([{"exists":true}])", "[1]", true},
    {R"(["x"])", R"([{"x":"x"}])", false},
};
INSTANTIATE_TEST_SUITE_P(Arrays, FilterValue, ::testing::ValuesIn(arrays));

constexpr ValueCase texts[]{
    {R"([{"prefix":"ab"}])", R"("abc")", true},
    {R"([{"prefix":"ab"}])", R"("ab")", true},
    {R"([{"prefix":"ab"}])", R"("a")", false},
    {R"([{"prefix":"ab"}])", R"("Abc")", false},
    {R"([{"prefix":""}])", R"("any")", true},
    {R"([{"prefix":"1"}])", "12", false},
    {R"([{"prefix":"ab"}])", "null", false},
    {R"([{"prefix":"ab"}])", "", false},
    {R"([{"prefix":{"equals-ignore-case":"aB"}}])", R"("Abc")", true},
    {R"([{"prefix":{"equals-ignore-case":"aB"}}])", R"("bAb")", false},
    {R"([{"suffix":".png"}])", R"("a.png")", true},
    {R"([{"suffix":".png"}])", R"(".png")", true},
    {R"([{"suffix":".png"}])", R"("a.PNG")", false},
    {R"([{"suffix":".png"}])", R"("png")", false},
    {R"([{"suffix":{"equals-ignore-case":".png"}}])", R"("a.PNG")", true},
    {R"([{"suffix":{"equals-ignore-case":".png"}}])", R"("a.PNGx")", false},
    {R"([{"equals-ignore-case":"AliCe"}])", R"("aLICE")", true},
    {R"([{"equals-ignore-case":"alice"}])", R"("alicE ")", false},
    {R"([{"equals-ignore-case":"ÄÖ"}])", R"("äö")", true},
    {R"([{"equals-ignore-case":"ŁÓDŹ"}])", R"("łódź")", true},
    {R"([{"equals-ignore-case":"ΑΩ"}])", R"("αω")", true},
    {R"([{"equals-ignore-case":"Москва"}])", R"("МОСКВА")", true},
    {R"([{"equals-ignore-case":"×"}])", R"("÷")", false},
    {R"([{"equals-ignore-case":"1"}])", "1", false},
    {R"([{"prefix":"x"},{"suffix":"y"}])", R"("ay")", true},
    {R"([{"prefix":"x"},{"suffix":"y"}])", R"("yx")", false},
};
INSTANTIATE_TEST_SUITE_P(Texts, FilterValue, ::testing::ValuesIn(texts));

constexpr ValueCase anything_but[]{
    {R"([{"anything-but":"x"}])", R"("y")", true},
    {R"([{"anything-but":"x"}])", R"("x")", false},
    {R"([{"anything-but":"x"}])", "1", true},
    {R"([{"anything-but":"x"}])", "null", true},
    {R"([{"anything-but":"x"}])", "true", true},
    {R"([{"anything-but":"x"}])", "", false},
    {R"([{"anything-but":"x"}])", "{}", false},
    {R"([{"anything-but":1}])", "1", false},
    {R"([{"anything-but":1}])", "1.0", false},
    {R"([{"anything-but":1}])", "2", true},
    {R"([{"anything-but":1}])", R"("1")", true},
    {R"([{"anything-but":["x","y"]}])", R"("y")", false},
    {R"([{"anything-but":["x","y"]}])", R"("z")", true},
    {R"([{"anything-but":[1,2]}])", "2", false},
    {R"([{"anything-but":[1,2]}])", "3", true},
    {R"([{"anything-but":{"prefix":"x"}}])", R"("xy")", false},
    {R"([{"anything-but":{"prefix":"x"}}])", R"("yx")", true},
    {R"([{"anything-but":{"prefix":["x","y"]}}])", R"("yx")", false},
    {R"([{"anything-but":{"prefix":["x","y"]}}])", R"("z")", true},
    {R"([{"anything-but":{"suffix":"x"}}])", R"("yx")", false},
    {R"([{"anything-but":{"suffix":"x"}}])", R"("xy")", true},
    {R"([{"anything-but":{"suffix":["x","y"]}}])", R"("ay")", false},
    {R"([{"anything-but":{"equals-ignore-case":"x"}}])", R"("X")", false},
    {R"([{"anything-but":{"equals-ignore-case":"x"}}])", R"("xx")", true},
    {R"([{"anything-but":{"equals-ignore-case":["x","y"]}}])", R"("Y")", false},
    {R"([{"anything-but":{"wildcard":"*/lib/*"}}])", R"("a/lib/b")", false},
    {R"([{"anything-but":{"wildcard":"*/lib/*"}}])", R"("a/bin/b")", true},
    {R"([{"anything-but":{"wildcard":["*a","*b"]}}])", R"("xb")", false},
    {R"([{"anything-but":{"prefix":"x"}}])", "5", true},
};
INSTANTIATE_TEST_SUITE_P(AnythingBut, FilterValue, ::testing::ValuesIn(anything_but));

constexpr ValueCase numbers[]{
    {R"([{"numeric":["=",5]}])", "5", true},
    {R"([{"numeric":["=",5]}])", "5.000", true},
    {R"([{"numeric":["=",3.018e2]}])", "301.8", true},
    {R"([{"numeric":["=",5]}])", "5.1", false},
    {R"([{"numeric":["=",5]}])", R"("5")", false},
    {R"([{"numeric":["<",5]}])", "4.999", true},
    {R"([{"numeric":["<",5]}])", "5", false},
    {R"([{"numeric":["<=",5]}])", "5", true},
    {R"([{"numeric":["<=",5]}])", "5.0001", false},
    {R"([{"numeric":[">",5]}])", "5", false},
    {R"([{"numeric":[">",5]}])", "5e1", true},
    {R"([{"numeric":[">=",-5]}])", "-5", true},
    {R"([{"numeric":[">=",-5]}])", "-6", false},
    {R"([{"numeric":[">",0,"<=",5]}])", "0", false},
    {R"([{"numeric":[">",0,"<=",5]}])", "5", true},
    {R"([{"numeric":[">",0,"<=",5]}])", "3", true},
    {R"([{"numeric":[">",0,"<=",5]}])", "6", false},
    {R"([{"numeric":[">=",0,"<",5]}])", "0", true},
    {R"([{"numeric":[">=",0,"<",5]}])", "5", false},
    {R"([{"numeric":["<",1e-3]}])", "0.0009", true},
    {R"([{"numeric":[">",1e300]}])", "2e300", true},
    {R"([{"numeric":["<",5]}])", "true", false},
    {R"([{"numeric":["<",5]}])", "null", false},
    {R"([{"numeric":["<",5]}])", "", false},
    {R"([{"numeric":["<",0]},{"numeric":[">",10]}])", "11", true},
    {R"([{"numeric":["<",0]},{"numeric":[">",10]}])", "5", false},
};
INSTANTIATE_TEST_SUITE_P(Numeric, FilterValue, ::testing::ValuesIn(numbers));

constexpr ValueCase existence[]{
    {R"([{"exists":true}])", R"("x")", true},
    {R"([{"exists":true}])", "null", true},
    {R"([{"exists":true}])", R"("")", true},
    {R"([{"exists":true}])", "", false},
    {R"([{"exists":false}])", "", true},
    {R"([{"exists":false}])", R"("x")", false},
    {R"([{"exists":false}])", "null", false},
    // What holds other things is no leaf, of which alone it is said.
    {R"([{"exists":true}])", R"({"b":1})", false},
    {R"([{"exists":false}])", R"({"b":1})", true},
    {R"(["x",{"exists":false}])", "", true},
    {R"(["x",{"exists":false}])", R"("x")", true},
    {R"(["x",{"exists":false}])", R"("y")", false},
};
INSTANTIATE_TEST_SUITE_P(Exists, FilterValue, ::testing::ValuesIn(existence));

constexpr ValueCase wildcards[]{
    {R"([{"wildcard":"a*"}])", R"("a")", true},
    {R"([{"wildcard":"a*"}])", R"("abc")", true},
    {R"([{"wildcard":"a*"}])", R"("ba")", false},
    {R"([{"wildcard":"*a"}])", R"("bca")", true},
    {R"([{"wildcard":"a*b"}])", R"("ab")", true},
    {R"([{"wildcard":"a*b"}])", R"("axxb")", true},
    {R"([{"wildcard":"a*a"}])", R"("a")", false},
    {R"([{"wildcard":"*a*b*"}])", R"("xaybz")", true},
    {R"([{"wildcard":"*a*b*"}])", R"("xbyaz")", false},
    {R"([{"wildcard":"*"}])", R"("")", true},
    {R"([{"wildcard":"*"}])", "1", false},
    {R"([{"wildcard":"abc"}])", R"("abc")", true},
    {R"([{"wildcard":"abc"}])", R"("abcd")", false},
    {R"([{"wildcard":"a\\*"}])", R"("a*")", true},
    {R"([{"wildcard":"a\\*"}])", R"("ab")", false},
    {R"([{"wildcard":"a\\\\*"}])", R"("a\\b")", true},
    {R"([{"wildcard":"a\\\\*"}])", R"("ab")", false},
    {R"([{"wildcard":"dir/*.png"}])", R"("dir/a/b.png")", true},
    {R"([{"wildcard":"x*ab*abc"}])", R"("xababc")", true},
    {R"([{"wildcard":"x*abc*abc"}])", R"("xababc")", false},
};
INSTANTIATE_TEST_SUITE_P(Wildcard, FilterValue, ::testing::ValuesIn(wildcards));

constexpr ValueCase addresses[]{
    {R"([{"cidr":"10.0.0.0/24"}])", R"("10.0.0.255")", true},
    {R"([{"cidr":"10.0.0.0/24"}])", R"("10.0.1.0")", false},
    {R"([{"cidr":"10.0.0.0/0"}])", R"("200.1.2.3")", true},
    {R"([{"cidr":"10.1.2.3/32"}])", R"("10.1.2.3")", true},
    {R"([{"cidr":"10.1.2.3/32"}])", R"("10.1.2.4")", false},
    {R"([{"cidr":"10.0.0.128/25"}])", R"("10.0.0.127")", false},
    {R"([{"cidr":"10.0.0.0/24"}])", R"("::ffff:10.0.0.1")", false},
    {R"([{"cidr":"10.0.0.0/24"}])", R"("10.0.0")", false},
    {R"([{"cidr":"10.0.0.0/24"}])", "10", false},
    {R"([{"cidr":"2001:db8::/32"}])", R"("2001:db8:1::5")", true},
    {R"([{"cidr":"2001:db8::/32"}])", R"("2001:DB9::")", false},
    {R"([{"cidr":"2001:db8::/33"}])", R"("2001:db8:8000::")", false},
    {R"([{"cidr":"::/0"}])", R"("fe80::1")", true},
    {R"([{"cidr":"::/0"}])", R"("10.0.0.1")", false},
};
INSTANTIATE_TEST_SUITE_P(Cidr, FilterValue, ::testing::ValuesIn(addresses));

/// A whole pattern and a whole body.
struct BodyCase {
  std::string_view pattern;
  std::string_view body;
  bool passes;
};

class FilterBody : public ::testing::TestWithParam<BodyCase> {};

TEST_P(FilterBody, PassesOrNot) {
  const auto& [pattern, body, passes] = GetParam();
  EXPECT_EQ(body_passes(std::string(pattern), body), passes) << pattern << " of " << body;
}

constexpr BodyCase structures[]{
    // Fields are all asked for.
    {R"({"body":{"a":[1],"b":[2]}})", R"({"a":1,"b":2})", true},
    {R"({"body":{"a":[1],"b":[2]}})", R"({"a":1,"b":3})", false},
    {R"({"body":{"a":[1],"b":[2]}})", R"({"a":1})", false},
    {R"({"body":{"a":{"b":{"c":[1]}}}})", R"({"a":{"b":{"c":1,"d":2}}})", true},
    {R"({"body":{"a":{"b":{"c":[1]}}}})", R"({"a":{"b":{"d":1}}})", false},
    {R"({"body":{"a":{"b":[1]}}})", R"({"a":1})", false},
    {R"({"body":{"a":{"b":[{"exists":false}]}}})", R"({"x":1})", true},
    {R"({"body":{"a":{"b":[{"exists":false}]}}})", R"({"a":1})", true},
    {R"({"body":{"a":{"b":[{"exists":false}]}}})", R"({"a":{"b":1}})", false},
    {R"({"body":{"a.b":[1]}})", R"({"a.b":1})", true},
    {R"({"body":{"a.b":[1]}})", R"({"a":{"b":1}})", false},
    // Of an array's objects one has to have it all.
    {R"({"body":{"a":{"b":[1]}}})", R"({"a":[{"b":2},{"b":1}]})", true},
    {R"({"body":{"a":{"b":[1]}}})", R"({"a":[{"b":2},5]})", false},
    {R"({"body":{"a":{"b":[1],"c":[2]}}})", R"({"a":[{"b":1,"c":3},{"b":4,"c":2}]})", false},
    {R"({"body":{"a":{"b":[1],"c":[2]}}})", R"({"a":[{"b":4},{"b":1,"c":2}]})", true},
    {R"({"body":{"b":[1]}})", R"([{"b":2},{"b":1}])", true},
    // $or.
    {R"({"body":{"$or":[{"a":[1]},{"b":[2]}]}})", R"({"a":1})", true},
    {R"({"body":{"$or":[{"a":[1]},{"b":[2]}]}})", R"({"b":2})", true},
    {R"({"body":{"$or":[{"a":[1]},{"b":[2]}]}})", R"({"a":2,"b":1})", false},
    {R"({"body":{"c":[3],"$or":[{"a":[1]},{"b":[2]}]}})", R"({"a":1})", false},
    {R"({"body":{"c":[3],"$or":[{"a":[1]},{"b":[2]}]}})", R"({"a":1,"c":3})", true},
    {R"({"body":{"$or":[{"a":[1]},{"$or":[{"b":[2]},{"c":[3]}]}]}})", R"({"c":3})", true},
    {R"({"body":{"$or":[{"a":[1],"b":[1]},{"a":[2]}]}})", R"({"a":1})", false},
    {R"({"body":{"x":{"$or":[{"a":[1]},{"b":[{"numeric":[">",3]}]}]}}})", R"({"x":{"b":4}})", true},
    {R"({"$or":[{"body":{"a":[1]}},{"body":["plain"]}]})", "plain", true},
    {R"({"$or":[{"body":{"a":[1]}},{"body":["plain"]}]})", R"({"a":1})", true},
    {R"({"$or":[{"body":{"a":[1]}},{"body":["plain"]}]})", R"({"a":2})", false},
};
INSTANTIATE_TEST_SUITE_P(Structures, FilterBody, ::testing::ValuesIn(structures));

constexpr BodyCase kinds_of_content[]{
    {R"({"body":["plain"]})", "plain", true},
    {R"({"body":["plain"]})", "plain text", false},
    {R"({"body":[{"prefix":"pl"}]})", "plain", true},
    {R"({"body":[""]})", "", true},
    {R"({"body":["12"]})", "12", true},
    {R"({"body":[12]})", "12", false},
    {R"({"body":["\"quoted\""]})", R"("quoted")", true},
    // A pattern of one kind does not match what is of the other.
    {R"({"body":{"a":[1]}})", "plain", false},
    {R"({"body":{"a":[1]}})", "", false},
    {R"({"body":{"a":[{"exists":false}]}})", "plain", false},
    {R"({"body":["{\"a\":1}"]})", R"({"a":1})", false},
    {R"({"body":[{"anything-but":"x"}]})", R"({"a":1})", false},
    {R"({"body":[{"anything-but":"x"}]})", R"({"a":1)", true},
    {R"({"body":{"a":[1]}})", R"( {"a" : 1} )", true},
    {R"({"body":{"a":[1]}})", R"({"a":1} x)", false},
    {R"({"body":[{"exists":true}]})", "\xff", false},
};
INSTANTIATE_TEST_SUITE_P(KindsOfContent, FilterBody, ::testing::ValuesIn(kinds_of_content));

constexpr BodyCase what_fits_into_no_type[]{
    {R"({"body":{"type":["order"]}})", R"({"type":"order","wei":1000000000000000000000})", true},
    {R"({"body":{"type":["order"]}})", R"({"type":"other","wei":1000000000000000000000})", false},
    {R"({"body":{"type":["order"]}})", R"({"wei":-9223372036854775809,"type":"order"})", true},
    {R"({"body":{"type":["order"]}})", R"({"ratio":1e400,"type":"order"})", true},
    {R"({"body":{"type":["order"]}})", R"({"ratio":[-1.5E+400,1e-400,0.0e999,1e400],"type":"order"})", true},
    {R"({"body":{"type":["order"]}})", R"({"ratio":1e99999999999999999999,"type":"order"})", true},
    {R"({"body":{"type":["order"]}})", R"({"text":"1e400 \" 1e400 \ud83d\ude00","n":1e400,"type":"order"})", true},
    // They are numbers like others.
    {R"({"body":{"wei":[1000000000000000000000]}})", R"({"wei":1000000000000000000000})", true},
    {R"({"body":{"wei":[1000000000000000000000]}})", R"({"wei":1e21})", true},
    {R"({"body":{"wei":[1000000000000000000000]}})", R"({"wei":2000000000000000000000})", false},
    {R"({"body":{"wei":[{"numeric":[">",1e20]}]}})", R"({"wei":1000000000000000000000})", true},
    {R"({"body":{"wei":[{"numeric":["<",0]}]}})", R"({"wei":-1000000000000000000000})", true},
    {R"({"body":{"wei":[{"numeric":[">",1e300]}]}})", R"({"wei":1e400})", true},
    {R"({"body":{"wei":[{"numeric":["<",-1e300]}]}})", R"({"wei":-1e400})", true},
    {R"({"body":{"wei":[{"numeric":["<",1]}]}})", R"({"wei":1e-400,"n":1e400})", true},
    // Beside them, those of 64 bits are exact.
    {R"({"body":{"a":[18446744073709551615]}})", R"({"a":18446744073709551615,"b":1e400})", true},
    {R"({"body":{"a":[18446744073709551615]}})", R"({"a":18446744073709551614,"b":1e400})", false},
    // Halves of pairs, as programs write them that cut texts anywhere.
    {R"({"body":{"type":["order"]}})", R"({"type":"order","cut":"x\ud83d"})", true},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","cut":"\ude00x","n":1e400})", true},
    {R"({"body":{"s":["\ud83d\ude00"]}})", R"({"s":"\ud83d\ude00","cut":"\ud83d\ud83d"})", true},
    // What is no JSON does not become any.
    {R"({"body":{"type":["order"]}})", R"({"type":"order","n":01000000000000000000000})", false},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","n":1.e400})", false},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","n":1e400)", false},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","n":1e400,"s":"\ud8)", false},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","n":-1e})", false},
    {R"({"body":{"type":["order"]}})", R"({"type":"order","s":"\x"})", false},
};
INSTANTIATE_TEST_SUITE_P(FittingIntoNoType, FilterBody, ::testing::ValuesIn(what_fits_into_no_type));

class FilterRefusal : public ::testing::TestWithParam<std::string_view> {};

TEST_P(FilterRefusal, IsWordedAsTheServiceDoes) {
  const std::vector<std::string> patterns{std::string(GetParam())};
  const auto filters = Filters::compile(patterns);
  const Error* error = std::get_if<Error>(&filters);
  ASSERT_NE(error, nullptr) << GetParam();
  EXPECT_EQ(error->code, ErrorCode::LambdaInvalidParameterValue);
  EXPECT_EQ(error->message, "Invalid filter pattern definition.");
}

constexpr std::string_view refused[]{
    "",
    "plain",
    "[]",
    "1",
    "{}",
    R"({"body":{}})",
    R"({"body":[]})",
    R"({"body":"x"})",
    R"({"body":1})",
    R"({"body":null})",
    R"({"body":true})",
    R"({"body":{"a":"x"}})",
    R"({"body":{"a":[]}})",
    R"({"body":{"a":[[1]]}})",
    R"({"body":{"a":[{}]}})",
    R"({"body":{"a":[{"prefix":"x","suffix":"y"}]}})",
    R"({"body":{"a":[{"unknown":"x"}]}})",
    R"({"body":{"a":[{"prefix":1}]}})",
    R"({"body":{"a":[{"prefix":{"suffix":"x"}}]}})",
    R"({"body":{"a":[{"suffix":["x"]}]}})",
    R"({"body":{"a":[{"equals-ignore-case":["x"]}]}})",
    R"({"body":{"a":[{"anything-but":[]}]}})",
    R"({"body":{"a":[{"anything-but":null}]}})",
    R"({"body":{"a":[{"anything-but":true}]}})",
    R"({"body":{"a":[{"anything-but":["x",1]}]}})",
    R"({"body":{"a":[{"anything-but":{"prefix":""}}]}})",
    R"({"body":{"a":[{"anything-but":{"numeric":["=",1]}}]}})",
    R"({"body":{"a":[{"numeric":[]}]}})",
    R"({"body":{"a":[{"numeric":["="]}]}})",
    R"({"body":{"a":[{"numeric":["=","1"]}]}})",
    R"({"body":{"a":[{"numeric":[1,"="]}]}})",
    R"({"body":{"a":[{"numeric":["==",1]}]}})",
    R"({"body":{"a":[{"numeric":["=",1,"<",3]}]}})",
    R"({"body":{"a":[{"numeric":["<",5,">",1]}]}})",
    R"({"body":{"a":[{"numeric":[">",5,"<",1]}]}})",
    R"({"body":{"a":[{"numeric":[">",1,"<",5,"<",6]}]}})",
    R"({"body":{"a":[{"exists":"true"}]}})",
    R"({"body":{"a":[{"exists":1}]}})",
    R"({"body":{"a":[{"wildcard":"a**b"}]}})",
    R"({"body":{"a":[{"wildcard":"a\\b"}]}})",
    R"({"body":{"a":[{"wildcard":"a\\"}]}})",
    R"({"body":{"a":[{"wildcard":1}]}})",
    R"({"body":{"a":[{"cidr":"10.0.0.1"}]}})",
    R"({"body":{"a":[{"cidr":"10.0.0.0/33"}]}})",
    R"({"body":{"a":[{"cidr":"10.0.0/8"}]}})",
    R"({"body":{"a":[{"cidr":"::/129"}]}})",
    R"({"body":{"a":[{"cidr":"::/"}]}})",
    R"({"body":{"$or":[]}})",
    R"({"body":{"$or":[{"a":[1]}]}})",
    R"({"body":{"$or":["a","b"]}})",
    R"({"body":{"$or":[{"a":[1]},{}]}})",
    R"({"body":{"$or":{"a":[1]}}})",
    R"({"body":[{"exists":false}]}x)",
    "{\"body\":[\"\xff\"]}",
};
INSTANTIATE_TEST_SUITE_P(All, FilterRefusal, ::testing::ValuesIn(refused));

TEST(Filter, AnyOfSeveralPatternsLetsThrough) {
  const Filters filters = compiled({R"({"body":{"a":[1]}})", R"({"body":{"b":[2]}})", R"({"body":["x"]})"});
  EXPECT_TRUE(filters.match_message(R"({"a":1})", no_record));
  EXPECT_TRUE(filters.match_message(R"({"b":2})", no_record));
  EXPECT_TRUE(filters.match_message("x", no_record));
  EXPECT_FALSE(filters.match_message(R"({"a":2})", no_record));
}

TEST(Filter, WithoutPatternsEverythingPasses) {
  const Filters filters = compiled({});
  EXPECT_TRUE(filters.empty());
  EXPECT_TRUE(filters.match_message("\xff", no_record));
  EXPECT_TRUE(filters.match_record("\xff", no_record));
}

TEST(Filter, MetadataIsTakenFromTheMessageAsItStandsInTheEvent) {
  const std::string record =
      R"({"messageId":"1","body":"x","attributes":{"SenderId":"me"},"messageAttributes":{"K":{"stringValue":"6","dataType":"Number"}}})";
  const auto whole = [&]() -> std::string_view { return record; };
  const auto passes = [&](const char* pattern) { return compiled({pattern}).match_message("x", whole); };
  EXPECT_TRUE(passes(R"({"attributes":{"SenderId":["me"]}})"));
  EXPECT_FALSE(passes(R"({"attributes":{"SenderId":["you"]}})"));
  EXPECT_TRUE(passes(R"({"messageAttributes":{"K":{"stringValue":["6"]}},"body":["x"]})"));
  EXPECT_FALSE(passes(R"({"messageAttributes":{"K":{"stringValue":["6"]}},"body":["y"]})"));
  EXPECT_TRUE(passes(R"({"messageAttributes":{"L":{"stringValue":[{"exists":false}]}}})"));
}

TEST(Filter, ARecordIsMatchedByItsDataAndByWhatStandsBesideIt) {
  const std::string record =
      R"({"kinesis":{"partitionKey":"k","data":"eyJhIjoxfQ=="},"eventName":"aws:kinesis:record"})";
  const auto whole = [&]() -> std::string_view { return record; };
  const auto passes = [&](const char* pattern) { return compiled({pattern}).match_record(R"({"a":1})", whole); };
  EXPECT_TRUE(passes(R"({"data":{"a":[1]}})"));
  EXPECT_FALSE(passes(R"({"data":{"a":[2]}})"));
  EXPECT_TRUE(passes(R"({"partitionKey":["k"],"data":{"a":[1]}})"));
  EXPECT_FALSE(passes(R"({"partitionKey":["l"],"data":{"a":[1]}})"));
  EXPECT_TRUE(passes(R"({"kinesis":{"partitionKey":["k"]}})"));
  EXPECT_TRUE(passes(R"({"eventName":["aws:kinesis:record"]})"));
  // A message's body is nothing of a record's.
  EXPECT_FALSE(passes(R"({"body":{"a":[1]}})"));
}

TEST(Filter, NumbersOfARecordMayBeAsLongAsTheyLike) {
  const Filters filters = compiled({R"({"data":{"type":["order"]}})"});
  EXPECT_TRUE(filters.match_record(R"({"type":"order","wei":1000000000000000000000})", no_record));
  EXPECT_FALSE(filters.match_record(R"({"type":"other","wei":1000000000000000000000})", no_record));
}

TEST(Filter, WhatIsTooDeepToBeReadIsNotDropped) {
  const std::string deep = R"({"a":1,"b":)" + std::string(2'000, '[') + std::string(2'000, ']') + "}";
  EXPECT_TRUE(body_passes(R"({"body":{"a":[1]}})", deep));
}

TEST(Filter, DataThatIsNoTextIsDropped) {
  EXPECT_FALSE(compiled({R"({"data":[{"anything-but":"x"}]})"}).match_record("\xff\xfe", no_record));
  EXPECT_FALSE(compiled({R"({"data":{"a":[1]}})"}).match_record("\xff\xfe", no_record));
}

TEST(Filter, ThereCanBeTen) {
  EXPECT_TRUE(std::holds_alternative<Filters>(Filters::compile(std::vector<std::string>(10, R"({"body":["x"]})"))));
  EXPECT_TRUE(std::holds_alternative<Error>(Filters::compile(std::vector<std::string>(11, R"({"body":["x"]})"))));
}

TEST(Filter, AWildcardWithManyStarsTakesNoLongerThanTheyAreMany) {
  std::string stars;
  for (int i = 0; i < 500; ++i) stars += "*a";
  const std::string text(200'000, 'a');
  const std::string pattern = R"({"body":[{"wildcard":")" + stars + R"(*b"}]})";
  EXPECT_FALSE(body_passes(pattern, text));
  EXPECT_TRUE(body_passes(pattern, text + "b"));
}

TEST(Filter, ADeepBodyIsLookedAtAsDeepAsItIs) {
  constexpr std::size_t depth = 500;
  const std::string open(depth, '[');
  const std::string close(depth, ']');
  EXPECT_TRUE(body_passes(R"({"body":{"a":[1]}})", R"({"a":)" + open + "1" + close + "}"));
  // Deeper than any reader goes: it counts as a text.
  EXPECT_FALSE(body_passes(R"({"body":{"a":[1]}})", std::string(100'000, '[')));
}

}  // namespace
}  // namespace penstock::protocol::testing
